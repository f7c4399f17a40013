/* Control flow: returns that do not match calls, deep recursion, coroutines, longjmp, unbalanced call and pop, big jump tables. */
#include "insn.h"
#include <setjmp.h>

CODE(c_ret_changed, "call 1f\n movl $0xbad, %eax\n jmp 9f\n 1: movl $2f, (%esp)\n ret\n 2: movl $0x600d, %eax\n 9:");
CODE(c_ret_skip, "call 1f\n movl $0xbad, %eax\n 3: movl $0x600d, %ecx\n jmp 9f\n 1: addl $5, (%esp)\n ret\n 9:");
CODE(c_ret_twice, "pushl $2f\n pushl $1f\n ret\n 1: movl $1, %eax\n ret\n 2: addl $2, %eax");
CODE(c_drop_return, "call 1f\n movl $0xbad, %eax\n ud2\n 1: addl $4, %esp\n movl $0x600d, %eax");
CODE(c_call_jmp_out, "call 1f\n movl $0xbad, %eax\n 1: popl %edx\n call 2f\n movl $7, %eax\n jmp 9f\n 2: ret\n 9: subl $c_call_jmp_out, %edx");
CODE(c_tail, "call c_tail_a\n");
CODE(c_count_unbalanced, "movl $300000, %ecx\n xorl %eax, %eax\n 1: call 2f\n 2: popl %edx\n incl %eax\n decl %ecx\n jnz 1b\n subl $2b, %edx");
CODE(c_push_ret_loop, "movl $300000, %ecx\n xorl %eax, %eax\n 1: pushl $2f\n ret\n 2: incl %eax\n decl %ecx\n jnz 1b");
CODE(c_call_no_ret, "movl %esp, %esi\n movl $50000, %ecx\n 1: call 2f\n 2: decl %ecx\n jnz 1b\n subl %esp, %esi\n addl %esi, %esp\n movl %esi, %eax\n xorl %esi, %esi");
CODE(c_ret_chain, "movl %esp, %esi\n movl $40000, %ecx\n 1: pushl $3f\n decl %ecx\n jnz 1b\n xorl %eax, %eax\n ret\n 3: incl %eax\n cmpl $40000, %eax\n jz 4f\n ret\n 4: subl %esp, %esi");
CODE(c_jmp_self_mid, "movl $1, %eax\n jmp 1f+1\n 1: .byte 0xb8, 0x40, 0x40, 0x90, 0x90\n nop");
CODE(c_overlap, "movl $3, %ecx\n xorl %eax, %eax\n 1: .byte 0xeb, 0xff\n .byte 0xc0\n decl %ecx\n jnz 1b");
CODE(c_short_back, "movl $4, %ecx\n jmp 2f\n 1: decl %ecx\n jz 3f\n 2: jmp 1b\n 3:");
CODE(c_loop_one, "movl $70000, %ecx\n 1: loop 1b");
CODE(c_jmp_word, "movl $1, %eax\n jmp *c_table+4\n 1: movl $0xbad, %eax\n");
CODE(c_lcall_mem, "subl $8, %esp\n movl $c_far_target, (%esp)\n movl $0, 4(%esp)\n movw %cs, 4(%esp)\n lcall *(%esp)\n addl $8, %esp");
CODE(c_ljmp_mem, "subl $8, %esp\n movl $1f, (%esp)\n movl $0, 4(%esp)\n movw %cs, 4(%esp)\n ljmp *(%esp)\n movl $0xbad, %eax\n 1: addl $8, %esp\n movl $0x600d, %ecx");
CODE(c_lret, "pushl %cs\n pushl $1f\n lret\n movl $0xbad, %eax\n 1: movl $0x600d, %ecx");
CODE(c_lret_imm, "pushl $1\n pushl $2\n pushl %cs\n pushl $1f\n lret $8\n movl $0xbad, %eax\n 1: movl $0x600d, %ecx");
CODE(c_iret, "pushfl\n orl $0x801, (%esp)\n pushl %cs\n pushl $1f\n iretl\n movl $0xbad, %eax\n 1: seto %al\n setc %ah");
CODE(c_lret_bad, "pushl $0x1233\n pushl $1f\n lret\n 1: nop");
CODE(c_ljmp_bad, "subl $8, %esp\n movl $1f, (%esp)\n movl $0, 4(%esp)\n ljmp *(%esp)\n 1: nop");
__asm__(".text\n c_tail_a: movl $1, %eax\n jmp c_tail_b\n c_tail_b: addl $2, %eax\n movl $c_tail_c, %edx\n jmp *%edx\n c_tail_c: addl $4, %eax\n xorl %edx, %edx\n ret\n"
    "c_far_target: movl $0xfa4, %eax\n movl 4(%esp), %ecx\n xorl %edx, %edx\n movw %cs, %dx\n subw %dx, %cx\n movzwl %cx, %ecx\n lret\n"
    " c_landed: movl $0x1a4ded, %ecx\n ret\n .data\n c_table: .long 0, c_landed\n .text\n");

/* deep recursion: host and guest stacks both far down, then all the way up */
__attribute__((noinline)) static u32 deep(u32 n, u32 salt) { u32 r = n ? deep(n - 1, salt * 3) + salt : 1; __asm__ volatile("" : "+r"(r)); return r; }
__attribute__((noinline)) static u32 odd(u32 n);
__attribute__((noinline)) static u32 even(u32 n) { u32 r = n ? odd(n - 1) : 1; __asm__ volatile("" : "+r"(r)); return r; }
__attribute__((noinline)) static u32 odd(u32 n) { u32 r = n ? even(n - 1) : 0; __asm__ volatile("" : "+r"(r)); return r; }
__attribute__((noinline)) static u32 ackermann(u32 m, u32 n) { return !m ? n + 1 : !n ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
__attribute__((noinline)) static u32 by_pointer(u32 (*f)(u32), u32 n) { u32 r = f(n); __asm__ volatile("" : "+r"(r)); return r; }

static jmp_buf out; static u32 jumps;
__attribute__((noinline)) static void dig(int n) { if (!n) { jumps++; longjmp(out, n + 1); } if (n > 0) dig(n - 1); __asm__ volatile(""); }

static ucontext_t main_context, co_a, co_b; static u32 co_sum;
static void run_a(void) { for (u32 i = 0; i < 20000; i++) { co_sum = co_sum * 31 + i; swapcontext(&co_a, &co_b); } }
static void run_b(void) { for (u32 i = 0; i < 20000; i++) { co_sum = co_sum * 17 ^ i; swapcontext(&co_b, i == 19999 ? &main_context : &co_a); } }

/* coroutines by hand: push the callee-saved, swap esp, pop, ret; a return never meets its call */
void hand_switch(u32 **save, u32 *to);
__asm__(".text\nhand_switch:\n movl 4(%esp), %eax\n movl 8(%esp), %edx\n pushl %ebp\n pushl %ebx\n pushl %esi\n pushl %edi\n movl %esp, (%eax)\n movl %edx, %esp\n"
    " popl %edi\n popl %esi\n popl %ebx\n popl %ebp\n ret\n");
static u32 *task[3], stacks[3][4096]; static u32 order;
static void task_body(void) { for (;;) { order = order * 5 + 1; hand_switch(&task[1], task[2]); order = order * 7 + 1; deep(20, 1); } }
static void task_body2(void) { for (;;) { order = order * 11 + 1; hand_switch(&task[2], task[0]); order = order * 13 + 1; } }

static u32 table_jump(u32 x) { switch (x) { case 0: return 5; case 1: return 77; case 2: return x * 9; case 3: return 1; case 4: return x + 8; case 5: return ~x; case 6: return x << 9; case 7: return x ^ 99; case 8: return 1234; case 9: return x * x; case 10: return 3; default: return 0; } }

int main(void)
{
    insn_start();
#define C(n) SHOW(n, 0x202, 0)
    C(c_ret_changed); C(c_ret_skip); C(c_ret_twice); C(c_drop_return); C(c_call_jmp_out); C(c_tail); C(c_count_unbalanced); C(c_push_ret_loop);
    C(c_call_no_ret); C(c_ret_chain); C(c_jmp_self_mid); C(c_overlap); C(c_short_back); C(c_loop_one); C(c_jmp_word);
    C(c_lcall_mem); C(c_ljmp_mem); C(c_lret); C(c_lret_imm); C(c_iret); C(c_lret_bad); C(c_ljmp_bad);
    say("deep %u %u", deep(100000, 1), deep(100000, 7));
    for (int i = 0; i < 5; i++) co_sum += deep(1 << (i * 4), i);
    say("deep in steps %u", co_sum);
    say("mutual %u %u", even(100000), odd(99999));
    say("ackermann %u", ackermann(2, 2000));
    say("by pointer %u", by_pointer(even, 50000) + by_pointer(odd, 777));
    for (int i = 0; i < 2000; i++) if (!setjmp(out)) dig(i % 300);
    say("longjmp %u", jumps);
    static char sa[65536], sb[65536];
    getcontext(&co_a); co_a.uc_stack.ss_sp = sa; co_a.uc_stack.ss_size = sizeof sa; makecontext(&co_a, run_a, 0);
    getcontext(&co_b); co_b.uc_stack.ss_sp = sb; co_b.uc_stack.ss_size = sizeof sb; makecontext(&co_b, run_b, 0);
    co_sum = 1; swapcontext(&main_context, &co_a);
    say("swapcontext %u", co_sum);
    for (int i = 1; i < 3; i++) { u32 *s = &stacks[i][4090]; *--s = 0; *--s = (u32)(i == 1 ? task_body : task_body2); for (int k = 0; k < 4; k++) *--s = 0; task[i] = s; }
    for (int i = 0; i < 30000; i++) hand_switch(&task[0], task[1]);
    say("hand-made coroutines %u", order);
    u32 sum = 0, seed = 9;
    for (int i = 0; i < 200000; i++) sum = sum * 3 + table_jump(next_random(&seed) % 12);
    say("jump table %u", sum);
    return finish();
}
