/* Loops that never leave by themselves: a signal must reach them wherever they are, in every thread, and change their course. */
#include "insn.h"
#include <setjmp.h>
#include <sys/time.h>

static volatile int hits; static sigjmp_buf out; static volatile u32 flag, counter; static u32 target;
static void leave(int s) { hits++; siglongjmp(out, 1); }
static void set_flag(int s) { hits++; flag = 1; }
static void move_on(int s, siginfo_t *i, void *c) { hits++; greg_t *g = ((ucontext_t *)c)->uc_mcontext.gregs; g[REG_EIP] = target; }
#define INTERRUPTED(name, text) __attribute__((noinline)) static void name(void) { __asm__ volatile(text ::: "eax", "ecx", "edx", "memory"); }
INTERRUPTED(self_jump, "1: jmp 1b") INTERRUPTED(two_blocks, "1: jmp 2f\n .p2align 6\n 2: jmp 1b") INTERRUPTED(loop_ecx, "1: movl $-1, %%ecx\n 2: loop 2b\n jmp 1b") INTERRUPTED(conditional, "1: testl %%esp, %%esp\n jnz 1b") INTERRUPTED(indirect, "1: movl $1b, %%eax\n jmp *%%eax") INTERRUPTED(calls, "1: call 2f\n jmp 1b\n 2: ret") INTERRUPTED(call_indirect, "movl $2f, %%eax\n 1: call *%%eax\n jmp 1b\n 2: ret") INTERRUPTED(push_ret, "1: pushl $1b\n ret")
INTERRUPTED(strings, "1: movl $0x400000, %%ecx\n pushl %%edi\n movl $interrupt_area, %%edi\n rep stosb\n popl %%edi\n jmp 1b") INTERRUPTED(atomics, "1: lock incl counter_\n jmp 1b") INTERRUPTED(system_calls, "1: movl $20, %%eax\n int $0x80\n jmp 1b") INTERRUPTED(faults_, "1: pushl $0\n popl %%eax\n divl interrupt_one\n jmp 1b") INTERRUPTED(float_, "fldz\n 1: fld1\n faddp\n jmp 1b")
__asm__(".bss\n .globl interrupt_area\n interrupt_area: .space 0x400000\n .data\n .globl counter_\n counter_: .long 0\n interrupt_one: .long 1\n.text\n");
static void *thread(void *f) { ((void (*)(void))f)(); return 0; }

int main(void)
{
    insn_start();
    static const struct { const char *name; void (*f)(void); } loops[] = { { "jump to itself", self_jump }, { "two blocks", two_blocks }, { "loop", loop_ecx }, { "conditional", conditional }, { "indirect", indirect }, { "calls", calls }, { "indirect calls", call_indirect }, { "push and ret", push_ret }, { "rep stosb", strings }, { "atomics", atomics }, { "system calls", system_calls }, { "divisions", faults_ }, { "x87", float_ } };
    for (unsigned i = 0; i < sizeof loops / sizeof *loops; i++) for (int round = 0; round < 3; round++) { signal(SIGALRM, leave); struct itimerval v = { { 0, 0 }, { 0, 2000 } }; if (!sigsetjmp(out, 1)) { setitimer(ITIMER_REAL, &v, 0); loops[i].f(); } __asm__ volatile("fninit"); if (round == 2) say("%s left %d times", loops[i].name, hits), hits = 0; }
    struct sigaction sa = { .sa_sigaction = move_on, .sa_flags = SA_SIGINFO }; sigaction(SIGALRM, &sa, 0); extern char interrupt_out[]; target = (u32)interrupt_out; struct itimerval v = { { 0, 0 }, { 0, 2000 } }; setitimer(ITIMER_REAL, &v, 0); __asm__ volatile("1: jmp 1b\n .globl interrupt_out\n interrupt_out:" ::: "memory"); say("moved on %d", hits);
    signal(SIGALRM, set_flag); setitimer(ITIMER_REAL, &v, 0); while (!flag) { } say("flag %d", flag); flag = 0; signal(SIGVTALRM, set_flag); setitimer(ITIMER_VIRTUAL, &v, 0); while (!flag) counter++; say("flag by processor time %d", flag);
    for (unsigned i = 0; i < 8; i++) { fflush(stdout); pid_t c = fork(); if (!c) { pthread_t t; pthread_create(&t, 0, thread, (void *)loops[i].f); usleep(1000); if (i & 1) _exit(3); kill(getpid(), SIGTERM); for (;;) pause(); } int st; usleep(1000); waitpid(c, &st, 0); say("%s in a thread: process ends %x", loops[i].name, st); }
    pid_t c = fork(); if (!c) self_jump(); usleep(2000); kill(c, SIGSTOP); int st; waitpid(c, &st, WUNTRACED); say("stopped %x", st); kill(c, SIGCONT); waitpid(c, &st, WCONTINUED); kill(c, SIGKILL); waitpid(c, &st, 0); say("killed %x", st);
    return finish();
}
