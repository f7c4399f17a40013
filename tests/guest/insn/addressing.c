/* Effective addresses: every SIB form, 16-bit addressing, wrap-around at 4 GiB, moffs, accesses over page ends and near the top of memory. */
#include "insn.h"

CODE(a_lea_all, "leal (%eax), %edi\n addl %edi, %edx\n leal 4(%eax,%ecx), %edi\n addl %edi, %edx\n leal 0x12345678(,%ecx,8), %edi\n addl %edi, %edx\n leal -128(%ebp,%ebx,2), %edi\n addl %edi, %edx\n"
    " leal (%esi,%esi,4), %edi\n addl %edi, %edx\n leal 0x7fffffff(%eax,%eax), %edi\n addl %edi, %edx\n leal (,%ebp,4), %edi\n addl %edi, %edx\n leaw 2(%eax,%ecx), %di\n addl %edi, %edx");
CODE(a_lea16, ".byte 0x67, 0x8d, 0x00\n movl %eax, %ecx\n .byte 0x67, 0x8d, 0x59, 0x10\n .byte 0x67, 0x8d, 0x92, 0x34, 0x12\n .byte 0x67, 0x8d, 0x2e, 0x78, 0x56\n .byte 0x66, 0x67, 0x8d, 0x3c");
CODE(a_lea16_bp, ".byte 0x67, 0x8d, 0x46, 0xf0\n .byte 0x67, 0x8d, 0x4b, 0x01\n .byte 0x67, 0x8d, 0x57, 0x80\n .byte 0x67, 0x8d, 0x35, 0x90");
CODE(a_wrap, "movl $0xfffff000, %ecx\n movl 0x2000(%ecx,%eax), %edx\n movl $-4, %esi\n movl 4(%eax,%esi), %ebx\n leal 0x1000(%ecx), %edi");
CODE(a_wrap_scaled, "movl %eax, %ecx\n subl $0x40, %ecx\n movl $0xe0000010, %esi\n movl (%ecx,%esi,8), %edx\n movl -0x80000000(%eax,%esi,8), %ebx\n nop");
CODE(a_wrap_back, "movl $8, %ecx\n subl %ecx, %eax\n movl (%eax,%ecx), %edx\n negl %ecx\n addl $16, %eax\n movl (%eax,%ecx), %ebx\n movl $0, %eax");
CODE(a_wrap_store, "leal -1(%eax), %ecx\n notl %ecx\n negl %ecx\n movl $0x80000000, %esi\n addl %esi, %eax\n movl $0x5a5a, (%eax,%esi)\n incl (%eax,%esi)\n xaddl %edx, (%eax,%esi)\n subl %esi, %eax\n movl (%eax), %ebx\n movl $0, %eax\n movl $0, %ecx");
CODE(a_push_mem, "pushl (%eax)\n pushl 4(%eax,%ebx,4)\n popl %ecx\n popl %edx\n pushl $7\n popl (%eax,%ebx,8)\n movl (%eax,%ebx,8), %esi\n movl $0, %eax");
CODE(a_moffs, ".byte 0xa1\n .long a_data\n movl %eax, %ecx\n .byte 0xa0\n .long a_data+5\n incl %eax\n .byte 0xa2\n .long a_data+8\n .byte 0x66, 0xa3\n .long a_data+12\n movl a_data+8, %edx\n movl a_data+12, %ebx");
CODE(a_moffs16, ".byte 0x67, 0xa1\n .word 0x10");
CODE(a_page_end_read, "movl 4093(%eax), %ecx\n movl $0, %eax");
CODE(a_cross_fault, "movl $0x11223344, %ecx\n movl %ecx, 8190(%eax)");
CODE(a_cross_fault_read, "movl 8189(%eax), %ecx");
CODE(a_cross_fault_rmw, "addl $1, 8190(%eax)");
CODE(a_cross_fault_sse, "movups 8184(%eax), %xmm0");
CODE(a_cross_fault_qword, "fldl 8188(%eax)");
CODE(a_cross_fault_push, "movl %esp, %ebx\n leal 8192(%eax), %esp\n popl %ecx");
CODE(a_cross_lock, "movl $1, %ecx\n lock xaddl %ecx, 4094(%eax)\n movl 4094(%eax), %edx\n movl $0, %eax");
CODE(a_bt_far, "movl $0, 2048(%eax)\n movl $-16384, %ecx\n addl $2048, %eax\n btsl %ecx, (%eax)\n setc %dl\n btl %ecx, (%eax)\n setc %dh\n movl $40, %ecx\n btcl %ecx, (%eax)\n btrl $33, (%eax)\n movl $-1, %ecx\n btsl %ecx, (%eax)\n movl -4(%eax), %ebx\n movl -2048(%eax), %esi\n movl $0, %eax");
CODE(a_bt_word, "movl $0, (%eax)\n movl $0xffff0011, %ecx\n btsw %cx, (%eax)\n movl (%eax), %edx\n movl $0, %eax");
CODE(a_bt_fault, "movl $0x10000, %ecx\n btsl %ecx, 100(%eax)");
CODE(a_xlat, "movl %eax, %ebx\n movl $0x12345603, %eax\n xlatb\n movl $0, %ebx");
CODE(a_jmp_mem, "movl $1f, 64(%eax)\n movl $2f, 68(%eax)\n movl $1, %ecx\n jmp *64(%eax,%ecx,4)\n 1: movl $0xbad, %edx\n 2: movl $0, %eax");
CODE(a_call_mem, "movl $1f, 64(%eax)\n call *64(%eax)\n jmp 2f\n 1: movl $0xca11, %edx\n ret\n 2: movl $0, %eax");
CODE(a_movbe, ".byte 0x0f, 0x38, 0xf0, 0x08\n .byte 0x66, 0x0f, 0x38, 0xf1, 0x48, 0x04\n movl 4(%eax), %edx\n movl $0, %eax");
CODE(a_high_top, "movl $0xffffe000, %eax\n movl (%eax), %ecx");
CODE(a_high_index, "movl $0xffffffff, %ecx\n movl (%ecx,%ecx), %eax");
CODE(a_high_wrap_read, "movl $0xffffffff, %ecx\n movb 9(%ecx), %al");
CODE(a_low, "movb 0xffff, %al");
CODE(a_prefixes, ".byte 0x3e, 0x8b, 0x08\n .byte 0x2e, 0x8b, 0x50, 0x04\n .byte 0x26, 0x36, 0x8b, 0x58, 0x04\n .byte 0xf2, 0x8b, 0x70, 0x04\n .byte 0x66, 0x66, 0x8b, 0x78, 0x08\n movl $0, %eax");
CODE(a_aliases, ".byte 0x82, 0xc1, 0x05\n .byte 0xc1, 0xf2, 0x04\n .byte 0xf7, 0xc9, 0x01, 0, 0, 0\n setnz %bl\n .byte 0xd0, 0xf3\n .byte 0x8b, 0xf9\n .byte 0x89, 0xce\n movl $0, %eax");
CODE(a_nops, "nopw %cs:0x0(%eax,%eax,1)\n nopl 0xc(%eax)\n .byte 0xf3, 0x0f, 0x1e, 0xfb\n .byte 0xf3, 0x90\n .byte 0x0f, 0x18, 0x00\n .byte 0x0f, 0x0d, 0x08\n .byte 0x66, 0x90\n .byte 0x0f, 0x1f, 0xc0\n xchgl %ebx, %ebx\n .byte 0x87, 0xc0\n .byte 0xf3, 0x0f, 0x1e, 0xc8\n movl $0, %eax");
CODE(a_rep_ret, "movl $0, %eax\n call 1f\n jmp 2f\n 1: .byte 0xf3, 0xc3\n 2: .byte 0xf2\n jmp 3f\n 3: .byte 0x3e\n jz 4f\n 4: .byte 0xf2\n call 5f\n jmp 6f\n 5: ret\n 6:");
__asm__(".data\n.p2align 4\n a_data: .long 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00\n.text\n");

int main(void)
{
    insn_start();
    u8 *area = mmap((void *)0x40000000, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    munmap(area + 8192, 4096);
#define A(n) do { for (int i = 0; i < 8192; i++) area[i] = i * 7 + (i >> 8); struct regs r_ = some_regs; r_.eax = (u32)area; r_.ebx = 1; run_show(#n, n, r_, 0); say("  memory %08x", hash(HASH_START, area, 8192)); } while (0)
    SHOW(a_lea_all, 0x202, 0); SHOW(a_lea16, 0x202, 0); SHOW(a_lea16_bp, 0x202, 0);
    A(a_wrap); A(a_wrap_scaled); A(a_wrap_back); A(a_wrap_store); A(a_push_mem); A(a_moffs); A(a_moffs16); A(a_page_end_read); A(a_cross_fault); A(a_cross_fault_read);
    A(a_cross_fault_rmw); A(a_cross_fault_sse); A(a_cross_fault_qword); A(a_cross_fault_push); A(a_cross_lock); A(a_bt_far); A(a_bt_word); A(a_bt_fault); A(a_xlat); A(a_jmp_mem); A(a_call_mem); A(a_movbe);
    A(a_high_top); A(a_high_index); A(a_high_wrap_read); A(a_low); A(a_prefixes); A(a_aliases); A(a_nops); A(a_rep_ret);
    return finish();
}
