/* Operands that reach over the end of the address space: beyond the segment's limit for the CPU, #SS in the stack segment, #GP in the others.
   Operands that reach into a page that refuses them. */
#include "insn.h"

/* Each piece keeps ESP and gives one register a value near an end of the address space. */
#define AT(name, base, insn) CODE(name, "movl %esp, own_esp\n movl $" base "\n " insn "\n movl own_esp, %esp")
AT(w_mov_ds, "0xfffffffe, %esi", "movl (%esi), %eax");
AT(w_mov_ds_disp, "2, %esi", "movl -4(%esi), %eax");
AT(w_mov_store, "0xffffffff, %esi", "movw %ax, (%esi)");
AT(w_mov_ebp, "0xfffffffe, %ebp", "movl (%ebp), %eax");
AT(w_mov_ebp_disp, "2, %ebp", "movl -4(%ebp), %eax");
AT(w_mov_ebp_ds, "0xfffffffe, %ebp", "movl %ds:(%ebp), %eax");
AT(w_mov_esi_ss, "0xfffffffe, %esi", "movl %ss:(%esi), %eax");
AT(w_mov_index, "0xfffffffe, %ebp", "movl (,%ebp), %eax");
AT(w_mov_esi_ebp, "0x7ffffffe, %esi\n movl $0x80000000, %ebp", "movl (%esi,%ebp), %eax");
AT(w_mov_ebp_esi, "0x7ffffffe, %esi\n movl $0x80000000, %ebp", "movl (%ebp,%esi), %eax");
AT(w_rmw, "0xfffffffd, %ebp", "addl %eax, (%ebp)");
AT(w_movups, "0xfffffff8, %esi", "movups (%esi), %xmm0");
AT(w_movups_ss, "0xfffffff8, %ebp", "movups (%ebp), %xmm0");
AT(w_movaps_ss, "0xfffffff8, %ebp", "movaps (%ebp), %xmm0");
AT(w_fld, "0xfffffffc, %ebp", "fldl (%ebp)");
AT(w_fldt, "0xfffffffc, %esi", "fldt (%esi)");
AT(w_cmpxchg8b, "0xfffffffc, %esi", "cmpxchg8b (%esi)");
AT(w_push, "2, %esp", "pushl %eax");
AT(w_push_first, "0, %esp", "pushl %eax");
AT(w_push_imm, "3, %esp", "pushl $5");
AT(w_push_mem, "1, %esp", "pushl slot");
AT(w_push_seg, "2, %esp", "pushl %ds");
AT(w_pushf, "2, %esp", "pushfl");
AT(w_pusha, "16, %esp", "pushal");
AT(w_pop, "0xfffffffe, %esp", "popl %eax");
AT(w_pop_mem, "0xfffffffe, %esp", "popl slot");
AT(w_pop_top, "0xfffffffc, %esp", "popl %eax");
AT(w_popa, "0xfffffff0, %esp", "popal");
AT(w_call, "2, %esp", "call w_mov_ds");
AT(w_call_reg, "2, %esp\n movl $w_mov_ds, %eax", "call *%eax");
AT(w_ret, "0xfffffffe, %esp", "ret");
AT(w_leave, "0xfffffffe, %ebp", "leave");
AT(w_enter, "2, %esp", "enter $8, $0");
AT(w_esp_disp, "2, %esp", "movl -4(%esp), %eax");
AT(w_esp_vector, "16, %esp", "movups -20(%esp), %xmm1");
AT(w_lods, "0xfffffffe, %esi", "lodsl");
AT(w_stos, "0xfffffffe, %edi", "stosl");
AT(w_cmps_source, "0xfffffffe, %esi\n movl $3, %edi", "cmpsl");
AT(w_cmps_other, "3, %esi\n movl $0xfffffffe, %edi", "cmpsl");
AT(w_movs, "own_esp, %esi\n movl $0xfffffffd, %edi", "movsl");
AT(w_xlat, "0xfffffffe, %ebx\n movl %esp, %edi\n movb $5, %al", "xlat\n movl %edi, %ebx");
AT(w_bt, "0xfffffffe, %ebp", "btl $3, (%ebp)");
AT(w_fnsave, "0xffffffe0, %ebp", "fnsave (%ebp)");
AT(w_fxsave, "0xfffffe10, %ebp", "fxsave (%ebp)");
__asm__(".bss\n .align 16\n slot: .long 0\n own_esp: .long 0\n .text");

static int has_avx2(void) { __builtin_cpu_init(); return __builtin_cpu_supports("avx2"); }
/* Only elements beyond the end are read. */
AT(w_mask_ss, "0xfffffff0, %ebp", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vpxor %xmm2, %xmm2, %xmm2\n vinserti128 $1, %xmm1, %ymm2, %ymm1\n vpmaskmovd (%ebp), %ymm1, %ymm0");
AT(w_mask_ds, "0xfffffff0, %esi", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vpxor %xmm2, %xmm2, %xmm2\n vinserti128 $1, %xmm1, %ymm2, %ymm1\n vpmaskmovd (%esi), %ymm1, %ymm0");
AT(w_mask_store, "7, %esp", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vpxor %xmm2, %xmm2, %xmm2\n vinserti128 $1, %xmm1, %ymm2, %ymm1\n vpmaskmovd %ymm0, %ymm1, -16(%esp)");
AT(w_mask_none, "0xfffffff0, %ebp", "vpxor %xmm1, %xmm1, %xmm1\n vpmaskmovd (%ebp), %ymm1, %ymm0");
AT(w_mask_across, "0xfffffffa, %ebp", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vpmaskmovq (%ebp), %xmm1, %xmm0");
AT(w_mask_across_pd, "0xfffffffa, %esi", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vmaskmovpd (%esi), %xmm1, %xmm0");
AT(w_mask_across_ps, "0xfffffffd, %ebp", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vmaskmovps %xmm0, %xmm1, (%ebp)");
AT(w_mask_below, "0xfffffff0, %ebp", "vpcmpeqd %xmm1, %xmm1, %xmm1\n vpmaskmovd (%ebp), %ymm1, %ymm0");

/* Two pages; the second refuses. The address told is that of the first byte refused. */
AT(c_push_seg, "0x20001001, %esp", "pushl %cs");
AT(c_push_seg_none, "0x20001006, %esp", "pushl %cs");
AT(c_pop_seg, "0x20000ffe, %esp", "popl %fs");
AT(c_pushf, "0x20001003, %esp", "pushfl");
AT(c_popf, "0x20000ffd, %esp", "popfl");
AT(c_enter, "0x20001002, %esp", "enter $8, $0");
AT(c_mov, "0x20000ffe, %esi", "movl (%esi), %eax");
AT(c_store, "0x20000ffe, %esi", "movl %eax, (%esi)");
AT(c_bound, "0x20000ffc, %esi", "boundl %eax, (%esi)");
AT(c_lfs, "0x20000ffb, %esi", "lfsl (%esi), %eax");
AT(c_fxsave, "0x20000f00, %esi", "fxsave (%esi)");

#define R(n) run_show(#n, n, some_regs, 0)
int main(void)
{
    insn_start();
    R(w_mov_ds); R(w_mov_ds_disp); R(w_mov_store); R(w_mov_ebp); R(w_mov_ebp_disp); R(w_mov_ebp_ds); R(w_mov_esi_ss); R(w_mov_index); R(w_mov_esi_ebp); R(w_mov_ebp_esi); R(w_rmw);
    R(w_movups); R(w_movups_ss); R(w_movaps_ss); R(w_fld); R(w_fldt); R(w_cmpxchg8b); R(w_push); R(w_push_first); R(w_push_imm); R(w_push_mem); R(w_push_seg); R(w_pushf); R(w_pusha);
    R(w_pop); R(w_pop_mem); R(w_pop_top); R(w_popa); R(w_call); R(w_call_reg); R(w_ret); R(w_leave); R(w_enter); R(w_esp_disp); R(w_esp_vector); R(w_lods); R(w_stos); R(w_cmps_source); R(w_cmps_other); R(w_movs); R(w_xlat); R(w_bt);
    R(w_fnsave); R(w_fxsave);
    if (has_avx2()) { R(w_mask_ss); R(w_mask_ds); R(w_mask_store); struct regs none = some_regs; check(run(w_mask_none, &none) == 0, "nothing chosen, nothing checked"); R(w_mask_below); R(w_mask_across); R(w_mask_across_pd); R(w_mask_across_ps); }
    check(mmap((void *)0x20000000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED, "two pages");
    *(volatile char *)0x20001000 = 0;
    for (int kind = 0; kind < 3; kind++) {
        if (kind < 2) mprotect((void *)0x20001000, 4096, kind ? PROT_READ : PROT_NONE); else munmap((void *)0x20001000, 4096);
        say("%s", kind == 0 ? "PROT_NONE" : kind == 1 ? "PROT_READ" : "nothing");
        R(c_push_seg); R(c_push_seg_none); R(c_pop_seg); R(c_pushf); R(c_popf); R(c_enter); R(c_mov); R(c_store); R(c_bound); R(c_lfs); R(c_fxsave);
    }
    return finish();
}
