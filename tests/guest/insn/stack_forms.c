/* Every way an instruction can use esp: as operand, base, with high byte registers, pushed, popped, replaced, in enter/leave/ret imm. */
#include "insn.h"

CODE(s_push_esp, "pushl %esp\n popl %eax\n subl %esp, %eax");
CODE(s_push_esp_mem, "pushl $0x11\n pushl (%esp)\n popl %eax\n popl %ecx");
CODE(s_push_esp_disp, "pushl $0x11\n pushl $0x22\n pushl 4(%esp)\n popl %eax\n popl %ecx\n popl %edx");
CODE(s_pop_esp_mem, "pushl $0x11\n pushl $0x22\n popl (%esp)\n popl %eax");
CODE(s_pop_esp_disp, "pushl $0x11\n pushl $0x22\n pushl $0x33\n popl 4(%esp)\n popl %eax\n popl %ecx");
CODE(s_pop_esp_neg, "pushl $0x44\n popl -4(%esp)\n movl -4(%esp), %eax\n movl -8(%esp), %ecx");
CODE(s_pop_esp, "movl %esp, %ecx\n leal -64(%esp), %eax\n movl $0x1234, (%eax)\n pushl %eax\n popl %esp\n movl (%esp), %edx\n movl %ecx, %esp\n xorl %ecx, %ecx\n xorl %eax, %eax");
CODE(s_push_word, "movl %esp, %ecx\n pushw $0x1234\n pushw %ax\n popl %edx\n subl %esp, %ecx");
CODE(s_pop_word, "pushl $0x11112222\n popw %ax\n popw %cx");
CODE(s_push_imm8, "pushl $-1\n popl %eax\n pushw $-2\n popw %cx");
CODE(s_pusha, "pushal\n movl 12(%esp), %eax\n subl %esp, %eax\n movl %eax, 28(%esp)\n movl 16(%esp), %ecx\n movl %ecx, 20(%esp)\n popal");
CODE(s_pushaw, "pushaw\n popaw\n pushaw\n popl %eax\n popl %ecx\n popl %edx\n popl %ebx\n andl $0xffff, %ecx");
CODE(s_enter0, "pushl $7\n movl %esp, %ecx\n enter $20, $0\n movl %ebp, %eax\n subl %ecx, %eax\n subl %esp, %ecx\n leave\n popl %edx");
CODE(s_enter1, "movl %esp, %ebp\n pushl $7\n enter $8, $1\n movl -4(%ebp), %eax\n subl %ebp, %eax\n leave\n subl %esp, %ebp\n popl %edx");
CODE(s_enter3, "pushl $0xa1\n pushl $0xa2\n pushl $0xa3\n pushl $0xa4\n movl %esp, %ebp\n addl $12, %ebp\n movl %esp, %esi\n enter $16, $3\n movl -4(%ebp), %eax\n movl -8(%ebp), %ecx\n"
     " movl -12(%ebp), %edx\n subl %ebp, %edx\n subl %esp, %esi\n movl %ebp, %edi\n subl %esp, %edi\n leave\n subl %esp, %ebp\n addl $16, %esp");
CODE(s_enter31, "movl %esp, %esi\n subl $256, %esp\n movl %esp, %ebp\n addl $200, %ebp\n enter $4, $31\n movl %ebp, %eax\n subl %esp, %eax\n leave\n movl %esi, %esp\n xorl %esi, %esi\n xorl %ebp, %ebp");
CODE(s_enter_level_mask, "movl %esp, %esi\n subl $64, %esp\n movl %esp, %ebp\n addl $48, %ebp\n .byte 0xc8, 4, 0, 0x22\n movl %ebp, %eax\n subl %esp, %eax\n leave\n movl %esi, %esp\n xorl %esi, %esi\n xorl %ebp, %ebp");
CODE(s_enterw, "movl %esp, %esi\n enterw $4, $0\n movl %esi, %eax\n subl %esp, %eax\n movl %esi, %esp\n xorl %esi, %esi\n xorl %ebp, %ebp");
CODE(s_leavew, "movl %esp, %esi\n pushl $0x55667788\n movl %esp, %ebp\n leavew\n movl %esi, %eax\n subl %esp, %eax\n movw %bp, %cx\n movl %esi, %esp\n xorl %esi, %esi\n xorl %ebp, %ebp");
CODE(s_high_load, "pushl $0x44332211\n movb (%esp), %ah\n movb 1(%esp), %bh\n movb 2(%esp), %ch\n movb 3(%esp), %dh\n popl %edi");
CODE(s_high_store, "pushl $0\n movb %ah, (%esp)\n movb %bh, 1(%esp)\n movb %ch, 2(%esp)\n movb %dh, 3(%esp)\n popl %edi");
CODE(s_high_alu, "pushl $0x01020304\n addb %ah, (%esp)\n subb 1(%esp), %bh\n xorb %ch, 2(%esp)\n adcb 3(%esp), %dh\n cmpb %ah, (%esp)\n popl %edi");
CODE(s_high_xchg, "pushl $0x44332211\n xchgb %ah, 1(%esp)\n xchgb %dh, (%esp)\n xaddb %ch, 2(%esp)\n popl %edi");
CODE(s_high_cmpxchg, "pushl $0x44332211\n movb $0x22, %al\n cmpxchgb %bh, 1(%esp)\n movb $1, %al\n cmpxchgb %ch, (%esp)\n popl %edi");
CODE(s_high_index, "pushl $0x44332211\n movl $1, %ecx\n movb (%esp,%ecx), %ah\n movb %ah, 1(%esp,%ecx,2)\n popl %edi");
CODE(s_high_sib_edi, "pushl $0x44332211\n movl $2, %edi\n movb (%esp,%edi), %dh\n addb $9, (%esp,%edi)\n popl %esi");
CODE(s_high_imm, "pushl $0\n movb $0x12, (%esp)\n orb $0x40, 1(%esp)\n notb 2(%esp)\n negb (%esp)\n incb 3(%esp)\n rolb $3, (%esp)\n popl %edi");
CODE(s_high_mul, "pushl $0x07050302\n movb $9, %al\n mulb 3(%esp)\n movzbl %ah, %ecx\n movzbl 1(%esp), %edx\n movb $200, %al\n imulb 2(%esp)\n popl %edi");
CODE(s_high_movzx, "movzbl %ah, %eax\n movsbl %bh, %ebx\n movzbw %ch, %cx\n movsbw %dh, %dx");
CODE(s_high_set, "pushl $0\n stc\n setc (%esp)\n setnc 1(%esp)\n sets 2(%esp)\n setc %ah\n setnc %ch\n popl %edi");
CODE(s_high_to_high, "movb %ah, %bh\n addb %ch, %dh\n xchgb %ah, %ch\n cmpb %bh, %dh\n shlb $2, %bh\n rcrb %cl, %dh");
CODE(s_xchg_esp, "movl %esp, %ecx\n leal -32(%esp), %eax\n xchgl %eax, %esp\n subl %eax, %ecx\n movl $3, (%esp)\n popl %edx\n movl %eax, %esp\n xorl %eax, %eax");
CODE(s_xchg_esp_mem, "movl %esp, %ecx\n leal -64(%esp), %eax\n pushl %eax\n xchgl %esp, (%esp)\n subl %esp, %eax\n movl %ecx, %esp\n movl -4(%esp), %edx\n subl %ecx, %edx\n xorl %ecx, %ecx");
CODE(s_mov_esp_mem, "movl %esp, -8(%esp)\n movl -8(%esp), %eax\n subl %esp, %eax\n movl %esp, %ecx\n subl $16, %esp\n movl 8(%esp), %esp\n subl %esp, %ecx");
CODE(s_lea, "leal (%esp), %eax\n leal 8(%esp,%ecx,4), %ecx\n leal (%ecx,%ecx), %edx\n subl %esp, %eax\n subl %esp, %ecx\n xorl %edx, %edx");
CODE(s_lea_esp, "movl %esp, %ecx\n leal -24(%esp), %esp\n subl %esp, %ecx\n leal 24(%esp), %esp");
CODE(s_lea_esp_scaled, "movl %esp, %esi\n movl $4, %ecx\n leal -64(%esp,%ecx,8), %esp\n subl %esp, %esi\n leal 32(%esp), %esp");
CODE(s_and_esp, "movl %esp, %ebp\n andl $-64, %esp\n movl %esp, %eax\n andl $63, %eax\n movl %ebp, %esp\n xorl %ebp, %ebp");
CODE(s_add_esp_reg, "movl %esp, %esi\n movl $-48, %ecx\n addl %ecx, %esp\n subl %ecx, %esp\n subl %esp, %esi");
CODE(s_adc_esp, "movl %esp, %esi\n stc\n sbbl $7, %esp\n subl %esp, %esi\n clc\n leal 8(%esp), %esp");
CODE(s_add_esp_flags, "movl %esp, %esi\n subl $16, %esp\n movl %esi, %eax\n subl %esp, %eax\n addl %eax, %esp\n setc %cl\n seto %ch\n subl $0, %esp\n setc %dl\n setz %dh\n subl %esp, %esi");
CODE(s_inc_dec_esp, "movl %esp, %esi\n decl %esp\n decl %esp\n decl %esp\n decl %esp\n subl %esp, %esi\n incl %esp\n incl %esp\n incl %esp\n incl %esp");
CODE(s_cmp_esp, "movl %esp, %eax\n cmpl %eax, %esp\n setz %cl\n cmpl %esp, %eax\n setz %ch\n testl %esp, %esp\n setz %dl\n movl $0, %eax");
CODE(s_not_neg_esp, "movl %esp, %esi\n notl %esp\n negl %esp\n decl %esp\n subl %esp, %esi\n movl $0, %edi");
CODE(s_bt_esp, "movl %esp, %esi\n btsl $31, %esp\n movl %esp, %eax\n shrl $31, %eax\n movl %esi, %esp\n xorl %esi, %esi");
CODE(s_shl_esp, "movl %esp, %esi\n shll $1, %esp\n movl %esp, %eax\n movl %esi, %esp\n shll $1, %esi\n subl %esi, %eax\n xorl %esi, %esi");
CODE(s_imul_esp, "movl %esp, %esi\n imull $3, %esp, %eax\n subl %esi, %eax\n subl %esi, %eax\n subl %esi, %eax\n xorl %esi, %esi");
CODE(s_movzx_esp, "movzwl %sp, %eax\n movl %esp, %ecx\n andl $0xffff, %ecx\n subl %ecx, %eax\n xorl %ecx, %ecx");
CODE(s_sp_word, "movl %esp, %esi\n movw %sp, %ax\n subw $0x10, %sp\n movl %esi, %ecx\n subl %esp, %ecx\n movl %esi, %esp\n xorl %esi, %esi\n xorl %eax, %eax\n movzwl %cx, %ecx");
CODE(s_mov_to_sp, "movl %esp, %esi\n movl %esp, %eax\n movw %ax, %sp\n subl %esp, %esi\n xorl %eax, %eax");
CODE(s_cmov_esp, "movl %esp, %esi\n leal -16(%esp), %eax\n stc\n cmovcl %eax, %esp\n movl %esi, %ecx\n subl %esp, %ecx\n cmovncl %eax, %esp\n movl %esi, %esp\n xorl %esi, %esi\n xorl %eax, %eax");
CODE(s_cmpxchg_esp, "movl %esp, %esi\n leal -16(%esp), %ecx\n movl %esp, %eax\n cmpxchgl %ecx, %esp\n setz %dl\n movl %esi, %eax\n subl %esp, %eax\n movl %esi, %esp\n xorl %esi, %esi\n xorl %ecx, %ecx");
CODE(s_xadd_esp, "movl %esp, %esi\n movl $-16, %ecx\n xaddl %ecx, %esp\n subl %esi, %ecx\n movl %esi, %eax\n subl %esp, %eax\n movl %esi, %esp\n xorl %esi, %esi");
CODE(s_movd_esp, "movd %esp, %mm0\n movd %mm0, %eax\n subl %esp, %eax\n movd %esp, %xmm0\n movd %xmm0, %ecx\n subl %esp, %ecx\n emms");
CODE(s_push_seg, "movl %esp, %esi\n pushl %ds\n popl %eax\n pushw %es\n popw %cx\n pushl %ss\n popl %edx\n pushl %fs\n popl %fs\n pushl %cs\n popl %ebx\n subl %esp, %esi");
CODE(s_pop_ds, "pushl %ds\n popl %ds\n pushl %es\n popl %es\n pushl %ss\n popl %ss\n movl $1, %eax");
CODE(s_ret_imm, "pushl $1\n pushl $2\n pushl $3\n call 1f\n movl %esp, %eax\n subl %esp, %eax\n jmp 2f\n 1: movl 4(%esp), %ecx\n movl 12(%esp), %edx\n ret $12\n 2:");
CODE(s_ret_imm_big, "movl %esp, %esi\n subl $0x9000, %esp\n call 1f\n subl %esp, %esi\n jmp 2f\n 1: ret $0x9000\n 2:");
CODE(s_call_esp_mem, "pushl $s_helper\n call *(%esp)\n popl %ecx");
CODE(s_jmp_esp_mem, "pushl $1f\n pushl $2f\n jmp *4(%esp)\n 2: movl $0xbad, %eax\n 1: addl $8, %esp");
CODE(s_call_mem_disp, "pushl $s_helper\n pushl $0\n pushl $0\n call *8(%esp)\n addl $12, %esp");
CODE(s_call_pop, "call 1f\n 1: popl %eax\n subl $1b, %eax");
CODE(s_push_ret, "pushl $1f\n ret\n movl $0xbad, %eax\n 1: movl $0x600d, %ecx");
CODE(s_call_reg_esp_arg, "pushl $5\n movl $s_arg, %eax\n call *%eax\n popl %ecx");
CODE(s_pushf_popf, "pushl $0\n popfl\n stc\n pushfl\n popl %eax\n andl $0x8d5, %eax\n pushl $0x8d5\n popfl\n pushfl\n popl %ecx\n andl $0x8d5, %ecx");
CODE(s_pushfw, "stc\n pushfw\n popw %ax\n andl $0x8d5, %eax\n pushw $0x0c1\n popfw\n pushfl\n popl %ecx\n andl $0x8d5, %ecx");
CODE(s_popf_bits, "pushfl\n popl %ebx\n pushl $0xffffffff ^ 0x40100\n popfl\n pushfl\n popl %eax\n pushl %ebx\n popfl\n andl $~0x8000, %eax\n xorl %ebx, %ebx");
CODE(s_popf_id, "pushfl\n popl %eax\n movl %eax, %ecx\n xorl $0x200000, %eax\n pushl %eax\n popfl\n pushfl\n popl %eax\n xorl %ecx, %eax\n pushl %ecx\n popfl\n xorl %ecx, %ecx");
CODE(s_flags_across_push, "movb $0x80, %al\n addb %al, %al\n pushl %ebx\n pushl %ecx\n popl %ecx\n popl %ebx\n leal 4(%esp), %esp\n leal -4(%esp), %esp");
CODE(s_flags_across_call, "movb $0x7f, %al\n incb %al\n stc\n call s_nothing\n pushl $1f\n ret\n 1:");
CODE(s_sub_esp_flags, "movl %esp, %esi\n subl $8, %esp\n pushfl\n popl %eax\n movl %esi, %ecx\n subl $8, %ecx\n pushfl\n popl %edx\n xorl %edx, %eax\n andl $0x8d5, %eax\n xorl %edx, %edx\n xorl %ecx, %ecx\n xorl %esi, %esi\n addl $8, %esp");
CODE(s_esp_big_moves, "movl %esp, %esi\n subl $0x12340, %esp\n movl %eax, (%esp)\n movl %ecx, 0x12000(%esp)\n pushl 0x12000(%esp)\n popl %edx\n addl $0x12340, %esp\n subl %esp, %esi");
CODE(s_string_stack, "subl $32, %esp\n movl %esp, %edi\n movl $8, %ecx\n movl $0x01010101, %eax\n rep stosl\n addl 12(%esp), %eax\n subl %esp, %edi\n addl $32, %esp");
CODE(s_fpu_stack, "subl $16, %esp\n movl $7, (%esp)\n fildl (%esp)\n fistpll 8(%esp)\n movl 8(%esp), %eax\n fld1\n fstpl (%esp)\n movl 4(%esp), %ecx\n addl $16, %esp");
CODE(s_sse_stack, "subl $32, %esp\n movl $0x40400000, 4(%esp)\n movss 4(%esp), %xmm1\n addss 4(%esp), %xmm1\n movss %xmm1, 12(%esp)\n movl 12(%esp), %eax\n cvtss2si 12(%esp), %ecx\n addl $32, %esp");
CODE(s_lds, "pushl %ds\n pushl $0x1234\n lds (%esp), %ecx\n les (%esp), %edx\n lss (%esp), %esi\n ud2");
CODE(s_lss, "movl %esp, %eax\n pushl %ss\n pushl %eax\n lss (%esp), %esp\n subl %esp, %eax");
CODE(s_nested, "call 1f\n addl $0x100, %eax\n jmp 9f\n 1: call 2f\n addl $0x10, %eax\n ret\n 2: call 3f\n incl %eax\n ret\n 3: xorl %eax, %eax\n ret\n 9:");
__asm__(".text\n s_helper: movl $0x4e1be4, %eax\n ret\n s_nothing: ret\n s_arg: movl 4(%esp), %eax\n imull $3, %eax\n ret\n");

int main(void)
{
    insn_start();
#define S(n) SHOW(n, 0x202, 0)
#define SF_(n) SHOW(n, 0x203, ARITH)
#define SX(n, m) SHOW(n, 0x202, m)
    S(s_push_esp); S(s_push_esp_mem); S(s_push_esp_disp); S(s_pop_esp_mem); S(s_pop_esp_disp); S(s_pop_esp_neg); S(s_pop_esp);
    S(s_push_word); S(s_pop_word); S(s_push_imm8); S(s_pusha); S(s_pushaw);
    S(s_enter0); S(s_enter1); S(s_enter3); S(s_enter31); S(s_enter_level_mask); S(s_enterw); S(s_leavew);
    S(s_high_load); S(s_high_store); SF_(s_high_alu); SF_(s_high_xchg); SF_(s_high_cmpxchg); S(s_high_index); S(s_high_sib_edi);
    SX(s_high_imm, CF); SX(s_high_mul, CF | OF); S(s_high_movzx); S(s_high_set); S(s_high_to_high);
    S(s_xchg_esp); S(s_xchg_esp_mem); S(s_mov_esp_mem); S(s_lea); S(s_lea_esp); S(s_lea_esp_scaled); S(s_and_esp); S(s_add_esp_reg);
    S(s_adc_esp); S(s_add_esp_flags); S(s_inc_dec_esp); S(s_cmp_esp); S(s_not_neg_esp); S(s_bt_esp); S(s_shl_esp); S(s_imul_esp);
    S(s_movzx_esp); S(s_sp_word); S(s_mov_to_sp); S(s_cmov_esp); S(s_cmpxchg_esp); S(s_xadd_esp); S(s_movd_esp);
    S(s_push_seg); S(s_pop_ds); S(s_ret_imm); S(s_ret_imm_big); S(s_call_esp_mem); S(s_jmp_esp_mem); S(s_call_mem_disp);
    S(s_call_pop); S(s_push_ret); S(s_call_reg_esp_arg); S(s_pushf_popf); S(s_pushfw); S(s_popf_bits); S(s_popf_id);
    SF_(s_flags_across_push); SF_(s_flags_across_call); S(s_sub_esp_flags); S(s_esp_big_moves); S(s_string_stack); S(s_fpu_stack);
    S(s_sse_stack); S(s_lds); S(s_lss); S(s_nested);
    return finish();
}
