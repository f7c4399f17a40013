/* Flags through calls, jumps, returns, system calls and stack traffic; every condition against every flag setting; BCD; lahf/sahf. */
#include "insn.h"

/* eax collects one bit per condition: jcc, setcc and cmovcc must agree */
#define COND(n, cc) CODE(j_##cc, "j" #cc " 1f\n movl $0, %eax\n jmp 2f\n 1: movl $1, %eax\n 2: movl $0, %ecx\n") \
    CODE(set_##cc, "movl $0, %eax\n set" #cc " %al") CODE(cmov_##cc, "movl $0, %eax\n movl $1, %ecx\n cmov" #cc "l %ecx, %eax\n movl $0, %ecx")
COND(0, o); COND(1, no); COND(2, b); COND(3, ae); COND(4, e); COND(5, ne); COND(6, be); COND(7, a);
COND(8, s); COND(9, ns); COND(10, p); COND(11, np); COND(12, l); COND(13, ge); COND(14, le); COND(15, g);
#define ROW(cc) { j_##cc, set_##cc, cmov_##cc }
static const char *conditions[16][3] = { ROW(o), ROW(no), ROW(b), ROW(ae), ROW(e), ROW(ne), ROW(be), ROW(a), ROW(s), ROW(ns), ROW(p), ROW(np),
    ROW(l), ROW(ge), ROW(le), ROW(g) };

CODE(f_call, "call f_leaf\n nop");
CODE(f_call_indirect, "movl $f_leaf, %ecx\n call *%ecx");
CODE(f_call_mem, "call *f_pointer");
CODE(f_jmp_chain, "jmp 1f\n 2: jmp 3f\n 1: jmp 2b\n 3:");
CODE(f_jmp_indirect, "movl $1f, %ecx\n jmp *%ecx\n nop\n 1:");
CODE(f_set_in_callee, "call f_setter");
CODE(f_test_in_caller, "call f_setter\n movl $0, %eax\n adcl $0, %eax\n call f_setter\n jo 1f\n movl $77, %eax\n 1:");
CODE(f_ret_imm, "pushl $0\n call f_setter_pop");
CODE(f_syscall, "pushl %ebx\n movl $20, %eax\n int $0x80\n popl %ebx\n movl $0, %eax");
CODE(f_vsyscall, "pushl %ebx\n movl $20, %eax\n call *%gs:0x10\n popl %ebx\n movl $0, %eax");
CODE(f_syscall_regs, "movl $20, %eax\n movl $0x11, %ecx\n movl $0x22, %edx\n movl $0x33, %esi\n movl $0x44, %edi\n movl $0x55, %ebp\n movl $0x66, %ebx\n int $0x80\n movl $0, %eax");
CODE(f_vsyscall_regs, "movl $20, %eax\n movl $0x11, %ecx\n movl $0x22, %edx\n movl $0x33, %esi\n movl $0x44, %edi\n movl $0x55, %ebp\n movl $0x66, %ebx\n call *%gs:0x10\n movl $0, %eax");
CODE(f_loop, "movl $5, %ecx\n 1: loop 1b\n");
CODE(f_jecxz, "xorl %ecx, %ecx\n movb $0x80, %al\n addb %al, %al\n jecxz 1f\n movl $9, %eax\n 1:");
CODE(f_lea_not_not, "movl $5, %eax\n notl %eax\n leal 5(%eax), %eax\n bswap %eax\n xchgl %eax, %ecx\n movzbl %al, %eax");
CODE(f_lahf_sahf, "lahf\n movb %ah, %cl\n notb %ah\n sahf\n lahf");
CODE(f_stc_cmc, "cmc\n setc %al\n stc\n setc %ah\n clc\n setc %cl\n cmc");
CODE(f_salc, "stc\n .byte 0xd6\n movb %al, %cl\n clc\n .byte 0xd6");
CODE(f_inc_keeps_cf, "stc\n incl %eax\n decl %ecx\n");
CODE(f_shift0, "movl $0, %ecx\n shll %cl, %eax\n sarl $0, %edx\n rcll %cl, %ebx\n shldl %cl, %eax, %edx");
CODE(f_rep0, "xorl %ecx, %ecx\n movb $0x80, %al\n addb %al, %al\n repe cmpsb\n repne scasl");
CODE(f_dead_then_fault, "addb %al, %al\n movl 0xc, %edx");
CODE(f_cross_block, "cmpl $0x1000, %eax\n jmp 1f\n .p2align 6\n 1: movl $0, %eax\n jmp 2f\n .p2align 6\n 2: setb %al\n setl %ah\n setz %cl");
CODE(f_adc_chain, "movl $-1, %eax\n addl $1, %eax\n adcl $0, %ecx\n adcl $0, %edx\n sbbl %ebx, %ebx");
__asm__(".text\n f_leaf: movl $5, %edx\n leal 3(%edx), %edx\n ret\n f_setter: movb $0x7f, %al\n incb %al\n stc\n ret\n f_setter_pop: movb $0x80, %al\n addb %al, %al\n ret $4\n"
    ".data\n f_pointer: .long f_leaf\n.text\n");

CODE(b_daa, "daa"); CODE(b_das, "das"); CODE(b_aaa, "aaa"); CODE(b_aas, "aas"); CODE(b_aam, "aam"); CODE(b_aad, "aad");
CODE(b_aam7, ".byte 0xd4, 7"); CODE(b_aad200, ".byte 0xd5, 200");

static void bcd(const char *name, const char *code, u32 mask, int all_ah)
{
    u32 h = HASH_START;
    for (int f = 0; f < 4; f++)
        for (int ah = 0; ah < 256; ah += all_ah ? 5 : 51)
            for (int al = 0; al < 256; al++) {
                struct regs r = some_regs;
                r.eax = 0x77770000 | ah << 8 | al; r.eflags = (f & 1 ? CF : 0) | (f & 2 ? AF : 0);
                run(code, &r);
                u32 out[2] = { r.eax, r.eflags & mask };
                h = hash(h, out, sizeof out);
            }
    say("%s %08x", name, h);
}

int main(void)
{
    insn_start();
    for (int c = 0; c < 16; c++) {
        char line[3][40];
        for (int kind = 0; kind < 3; kind++)
            for (int f = 0; f < 32; f++) {
                struct regs r = some_regs;
                r.eflags = (f & 1 ? CF : 0) | (f & 2 ? PF : 0) | (f & 4 ? ZF : 0) | (f & 8 ? SF : 0) | (f & 16 ? OF : 0);
                u32 before = r.eflags;
                run(conditions[c][kind], &r);
                line[kind][f] = '0' + (r.eax & 1); line[kind][f + 1] = 0;
                check((r.eflags & ARITH) == before, "flags changed by condition %d kind %d", c, kind);
            }
        say("condition %2d %s", c, line[0]);
        check(!strcmp(line[0], line[1]) && !strcmp(line[0], line[2]), "jcc, setcc, cmovcc disagree on %d", c);
    }
    static const u32 settings[] = { 0, ARITH, CF, ZF | PF, SF | OF, AF, DF | CF };
    for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++) {
        u32 f = settings[i];
        say("flags in %s", flag_names(f));
#define F(n) SHOW(n, f, ARITH)
        F(f_call); F(f_call_indirect); F(f_call_mem); F(f_jmp_chain); F(f_jmp_indirect); F(f_set_in_callee); F(f_test_in_caller); F(f_ret_imm);
        F(f_syscall); F(f_vsyscall); F(f_syscall_regs); F(f_vsyscall_regs); F(f_loop); F(f_jecxz); F(f_lea_not_not); F(f_lahf_sahf); F(f_stc_cmc); F(f_salc);
        F(f_inc_keeps_cf); F(f_shift0); F(f_rep0); F(f_dead_then_fault); F(f_cross_block); F(f_adc_chain);
    }
    bcd("daa", b_daa, CF | AF | ZF | SF | PF, 0); bcd("das", b_das, CF | AF | ZF | SF | PF, 0);
    bcd("aaa", b_aaa, CF | AF, 1); bcd("aas", b_aas, CF | AF, 1);
    bcd("aam", b_aam, ZF | SF | PF, 0); bcd("aad", b_aad, ZF | SF | PF, 1);
    bcd("aam7", b_aam7, ZF | SF | PF, 0); bcd("aad200", b_aad200, ZF | SF | PF, 1);
    return finish();
}
