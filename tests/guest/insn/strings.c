/* String instructions: sizes, prefixes, direction, counts, overlap, 16-bit addressing, and faults in the middle of a repeat. */
#include "insn.h"

#define OPS(sz) \
    CODE(movs##sz, "movs" #sz) CODE(rep_movs##sz, "rep movs" #sz) CODE(stos##sz, "stos" #sz) CODE(rep_stos##sz, "rep stos" #sz) \
    CODE(lods##sz, "lods" #sz) CODE(rep_lods##sz, "rep lods" #sz) CODE(cmps##sz, "cmps" #sz) CODE(repe_cmps##sz, "repe cmps" #sz) \
    CODE(repne_cmps##sz, "repne cmps" #sz) CODE(scas##sz, "scas" #sz) CODE(repe_scas##sz, "repe scas" #sz) CODE(repne_scas##sz, "repne scas" #sz)
OPS(b); OPS(w); OPS(l);
CODE(es_override, ".byte 0x26, 0xa4");           /* movsb %es:(%esi), %es:(%edi) */
CODE(ss_override, ".byte 0x36, 0xad");           /* lodsl %ss:(%esi) */
CODE(repne_movs, ".byte 0xf2, 0xa4");
CODE(repne_stos, ".byte 0xf2, 0xab");
CODE(rep_movs_twice, "movl %esi, %edx\n movl %edi, %ebx\n rep movsb\n movl $3, %ecx\n rep movsl\n subl %edx, %esi\n subl %ebx, %edi\n xorl %edx, %edx\n xorl %ebx, %ebx");
CODE(a16_loop, "movl $0x50003, %ecx\n movl $0, %eax\n 1: incl %eax\n .byte 0x67\n loop 1b");
CODE(a16_jcxz, "movl $0x70000, %ecx\n movl $0, %eax\n .byte 0x67\n jecxz 1f\n incl %eax\n 1:");
CODE(a16_stos0, "movl $0x70000, %ecx\n .byte 0x67\n rep stosb");
CODE(a16_lods_fault, "movl $0x70002, %ecx\n movl $0x12340010, %esi\n .byte 0x67\n rep lodsb");
CODE(loopne_, "movl $10, %ecx\n movl $0, %eax\n 1: incl %eax\n cmpl $4, %eax\n loopne 1b");
CODE(loope_, "movl $10, %ecx\n movl $0, %eax\n 1: incl %eax\n cmpl $1, %eax\n loope 1b");
CODE(loop_wrap, "movl $0, %ecx\n movl $0, %eax\n jmp 2f\n 1: incl %eax\n movl $1, %ecx\n 2: loop 1b");
CODE(xlat_, "xlatb");
CODE(xlat_fs_stack, "pushl $0x44332211\n movl %esp, %ebx\n movb $2, %al\n .byte 0x36\n xlatb\n popl %ebx");

static u8 *area;                                 /* two pages, then a page that faults; before them another that faults */
static struct { const char *name, *code; int size, rep; } ops[] = {
#define ROWS(sz, n) { "movs" #sz, movs##sz, n, 0 }, { "rep movs" #sz, rep_movs##sz, n, 1 }, { "stos" #sz, stos##sz, n, 0 }, { "rep stos" #sz, rep_stos##sz, n, 1 }, \
    { "lods" #sz, lods##sz, n, 0 }, { "rep lods" #sz, rep_lods##sz, n, 1 }, { "cmps" #sz, cmps##sz, n, 0 }, { "repe cmps" #sz, repe_cmps##sz, n, 1 }, \
    { "repne cmps" #sz, repne_cmps##sz, n, 1 }, { "scas" #sz, scas##sz, n, 0 }, { "repe scas" #sz, repe_scas##sz, n, 1 }, { "repne scas" #sz, repne_scas##sz, n, 1 }
    ROWS(b, 1), ROWS(w, 2), ROWS(l, 4),
    { "repne movsb", repne_movs, 1, 1 }, { "repne stosl", repne_stos, 4, 1 }, { "es movsb", es_override, 1, 0 }, { "ss lodsl", ss_override, 4, 0 },
};

static void fill(int pattern)
{
    u32 s = 12345;
    for (int i = 0; i < 8192; i++) area[i] = pattern ? (u8)next_random(&s) : i % 61 == 60 ? 7 : 5;
}

static void one(int op, int pattern, u32 si, u32 di, u32 count, u32 flags)
{
    struct regs r = some_regs;
    fill(pattern);
    r.esi = (u32)area + si; r.edi = (u32)area + di; r.ecx = count; r.eflags = flags; r.eax = pattern ? 0x12345678 : 0x05050505;
    int sig = run(ops[op].code, &r);
    u32 h = hash(HASH_START, area, 8192);
    if (sig) say("%-12s %4x %4x n %-4x %s memory %08x signal %d addr %+d eip code%+d err %x esi %+d edi %+d ecx %x eax %x", ops[op].name, si, di, count, flag_names(flags), h, sig,
        (int)(fault.addr - (u32)area), (int)(fault.eip - (u32)ops[op].code), fault.err, (int)(r.esi - (u32)area), (int)(r.edi - (u32)area), r.ecx, r.eax);
    else say("%-12s %4x %4x n %-4x %s memory %08x esi %+d edi %+d ecx %x eax %x %s", ops[op].name, si, di, count, flag_names(flags), h, (int)(r.esi - (u32)area), (int)(r.edi - (u32)area),
        r.ecx, r.eax, flag_names(r.eflags & (ARITH | DF)));
}

int main(void)
{
    insn_start();
    area = mmap(0, 4 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    area += 4096;
    mprotect(area, 8192, PROT_READ | PROT_WRITE);
    for (unsigned op = 0; op < sizeof ops / sizeof *ops; op++)
        for (int pattern = 0; pattern < 2; pattern++)
            for (int back = 0; back < 2; back++) {
                u32 f = (back ? DF : 0) | (pattern ? CF | OF : ZF);
                one(op, pattern, 0x200, 0x300, 20, f);
                one(op, pattern, 0x200, 0x201, 33, f);        /* overlap by one */
                one(op, pattern, 0x203, 0x200, 40, f);
                one(op, pattern, 0x200, 0x200, 100, f);       /* same place */
                one(op, pattern, 0xffe, 0x1ffc - 900, 200, f);  /* over a page boundary */
                if (ops[op].rep) {
                    one(op, pattern, 0x300, 0x400, 0, f);
                    one(op, pattern, back ? 0x20 : 0x1fe0, 0x1000, 0x100, f);     /* the source runs out of the area */
                    one(op, pattern, 0x1000, back ? 0x1e : 0x1fe2, 0x100, f);     /* the target does */
                } else one(op, pattern, 0x2000, 0x2000, 1, f);
            }
    SHOW(a16_loop, 0x202, 0); SHOW(a16_jcxz, 0x202, 0); SHOW(a16_stos0, 0x202, 0); SHOW(a16_lods_fault, 0x202, 0);
    SHOW(loopne_, 0x202, 0); SHOW(loope_, 0x202, 0); SHOW(loop_wrap, 0x202, 0);
    static u8 table[256];
    for (int i = 0; i < 256; i++) table[i] = 255 - i;
    struct regs r = some_regs;
    r.ebx = (u32)table; run(xlat_, &r); say("xlat %08x", r.eax);
    SHOW(xlat_fs_stack, 0x202, 0);
    fill(1);
    r = some_regs; r.esi = (u32)area; r.edi = (u32)area + 0x500; r.ecx = 7; run(rep_movs_twice, &r);
    show_regs("rep_movs_twice", &r, ARITH);
    return finish();
}
