/* Exact state between any two instructions: every sequence is single-stepped (TF), its trace printed; then it runs in a loop under a storm of
 * signals, and each frame that the handler sees must be a state of that trace: same eip, same esp, same registers. */
#include "insn.h"
#include <sys/time.h>

CODE(q_push, "pushl %eax\n pushl %ecx\n pushl $5\n pushl %edx\n popl %esi\n addl $4, %esp\n popl %ecx\n popl %eax\n");
CODE(q_frame, "pushl %ebp\n movl %esp, %ebp\n subl $24, %esp\n movl %eax, -4(%ebp)\n pushl -4(%ebp)\n pushl %esp\n popl %edi\n subl %esp, %edi\n popl %ecx\n leave\n");
CODE(q_calls, "call 1f\n incl %eax\n call 2f\n pushl $q_back\n ret\n .globl q_back\n q_back: jmp 9f\n 1: addl $3, %eax\n ret\n 2: pushl %eax\n call 1b\n popl %ecx\n ret\n 9: nop\n");
CODE(q_flags, "addb %al, %al\n adcb $7, %ah\n pushfl\n andl $0x8d5, (%esp)\n popl %ecx\n sbbl %edx, %edx\n cmpl %eax, %ecx\n setb %bl\n cmovzl %eax, %esi\n sarl $3, %edx\n rcrl $1, %ebx\n bswap %eax\n imull %eax, %edx\n");
CODE(q_branches, "movl $6, %ecx\n xorl %eax, %eax\n 1: testl $1, %ecx\n jz 2f\n addl $3, %eax\n jmp 3f\n 2: leal (%eax,%eax,2), %eax\n 3: decl %ecx\n jnz 1b\n jecxz 4f\n nop\n 4: movl $q_hop, %edx\n jmp *%edx\n nop\n .globl q_hop\n q_hop: nop\n");
CODE(q_memory, "movl $q_area, %esi\n movl $9, (%esi)\n incl (%esi)\n xaddl %eax, (%esi)\n lock addl $5, (%esi)\n xchgl %ecx, (%esi)\n movl (%esi), %edx\n pushl (%esi)\n popl 4(%esi)\n btsl $3, 4(%esi)\n movzwl 4(%esi), %ebx\n");
CODE(q_esp_high, "pushl $0x44332211\n movb 1(%esp), %ah\n xchgb %ch, 2(%esp)\n movl %esp, %edi\n subl $8, %esp\n addb %dh, 8(%esp)\n leal 8(%esp), %esp\n movl (%esp), %ebx\n subl %esp, %edi\n popl %ebx\n");
CODE(q_enter, "pushl %ebp\n movl %esp, %ebp\n enter $8, $2\n movl %esp, %ecx\n subl %ebp, %ecx\n leave\n leave\n pushal\n popal\n pushfl\n popfl\n");
CODE(q_string, "movl $q_area, %esi\n movl $q_area+64, %edi\n cld\n lodsl\n stosl\n movsl\n movl $7, %ecx\n rep movsb\n movl $q_area, %edi\n movl $5, %ecx\n repne scasb\n xorl %edi, %edi\n xorl %esi, %esi\n xorl %ecx, %ecx\n");
CODE(q_segment, "cmpl $0, %gs:0\n leal 5(%ecx), %eax\n movw %ds, %cx\n movw %cx, %ds\n pushl %es\n popl %es\n movl $1, %edx\n movw %gs, %dx\n movl $2, %edx\n");
CODE(q_ret_imm, "pushl $1\n pushl $2\n call 1f\n movl %eax, %ecx\n jmp 2f\n 1: movl 4(%esp), %eax\n addl 8(%esp), %eax\n ret $8\n 2: nop\n");
CODE(q_muldiv, "movl $100000, %eax\n movl $70000, %ecx\n mull %ecx\n divl %ecx\n movl $-7, %eax\n cltd\n idivl %ecx\n movb $7, %al\n mulb %ah\n shldl $5, %eax, %edx\n bsfl %edx, %ebx\n");
CODE(q_fpu, "fld1\n fldl2e\n faddp\n pushl $0\n fistpl (%esp)\n popl %eax\n movl $3, %ecx\n cvtsi2sd %ecx, %xmm0\n addsd %xmm0, %xmm0\n cvttsd2si %xmm0, %edx\n");
CODE(q_cmpxchg8b, "movl $q_area, %esi\n xorl %eax, %eax\n xorl %edx, %edx\n movl %eax, (%esi)\n movl %edx, 4(%esi)\n movl $1, %ebx\n movl $2, %ecx\n lock cmpxchg8b (%esi)\n cmpxchg8b (%esi)\n xorl %esi, %esi\n");
__asm__(".data\n.p2align 4\n q_area: .space 256\n .text\n");
struct state { u32 eip, esp; struct regs r; };
static struct state trace[400]; static int steps, printing;
static const char *code, *code_end;

static int record_step(int sig, siginfo_t *info, ucontext_t *uc)
{
    (void)info; (void)uc;
    if (sig != SIGTRAP) return 0;
    if (fault.eip - (u32)code < (u32)(code_end - code) && steps < 400) {
        fault.r.eflags &= ARITH | DF;
        trace[steps++] = (struct state){ fault.eip, fault.esp, fault.r };
        if (info->si_code != TRAP_TRACE && printing) printf("# bad si_code %d\n", info->si_code);
    }
    return 1;                                            /* TF stays set in the frame: go on stepping */
}

static volatile u32 inside, strange; static struct state strange_state;
static int same(const struct state *a, const struct state *b) { return a->eip == b->eip && a->esp == b->esp && !memcmp(&a->r, &b->r, sizeof a->r - 4); }
static void storm_handler(int sig, siginfo_t *info, void *context)
{
    (void)sig; (void)info;
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct state s = { g[REG_EIP], g[REG_ESP], { g[REG_EDI], g[REG_ESI], g[REG_EBP], g[REG_EBX], g[REG_EDX], g[REG_ECX], g[REG_EAX], 0 } };
    if (s.eip - (u32)code >= (u32)(code_end - code)) return;
    inside++;
    if (s.eip == (u32)code) return;                      /* the first instruction: before it nothing is ours to say */
    for (int i = 0; i < steps; i++) if (same(&trace[i], &s)) return;
    if (!strange++) strange_state = s;
}

static void sequence(const char *name, const char *from, const char *to)
{
    struct regs r = some_regs;
    code = from; code_end = to; steps = 0; printing = 1; fault_hook = record_step;
    r.eflags = TF; run(from, &r);
    fault_hook = 0;
    say("%s: %d steps", name, steps);
    for (int i = 0; i < steps; i++)
        say("  %-8s %-8s eax %s ecx %s edx %s ebx %s ebp %s esi %s edi %s", where(trace[i].eip, code), where(trace[i].esp, code), where(trace[i].r.eax, code),
            where(trace[i].r.ecx, code), where(trace[i].r.edx, code), where(trace[i].r.ebx, code), where(trace[i].r.ebp, code), where(trace[i].r.esi, code), where(trace[i].r.edi, code));
    inside = strange = 0;
    struct timespec t0, t; clock_gettime(CLOCK_MONOTONIC, &t0);
    do for (int i = 0; i < 3000; i++) {
        r = some_regs; run(from, &r);
    } while (clock_gettime(CLOCK_MONOTONIC, &t), (t.tv_sec - t0.tv_sec) * 1000000000LL + t.tv_nsec - t0.tv_nsec < 60000000LL);
    remark("%u frames inside", inside);
    if (!check(!strange, "%s: %u strange states of %u", name, strange, inside))
        printf("# bad %s first: eip %s esp %s eax %08x ecx %08x edx %08x ebx %08x esi %08x edi %08x\n", name, where(strange_state.eip, code), where(strange_state.esp, code),
            strange_state.r.eax, strange_state.r.ecx, strange_state.r.edx, strange_state.r.ebx, strange_state.r.esi, strange_state.r.edi);
}

static volatile int killing = 1; static pid_t main_tid;
static void *killer(void *x)
{
    (void)x;
    struct timespec pause = { 0, 20000 };
    while (killing) { syscall(SYS_tgkill, getpid(), main_tid, SIGUSR1); nanosleep(&pause, 0); }
    return 0;
}

int main(void)
{
    insn_start();
    struct sigaction sa = { .sa_sigaction = storm_handler, .sa_flags = SA_SIGINFO | SA_RESTART };
    sigaction(SIGALRM, &sa, 0); sigaction(SIGUSR1, &sa, 0);
    struct itimerval iv = { { 0, 97 }, { 0, 97 } };
    code = code_end = 0; main_tid = syscall(SYS_gettid);
    pthread_t th; pthread_create(&th, 0, killer, 0);
    sigset_t block; sigemptyset(&block); sigaddset(&block, SIGALRM); sigaddset(&block, SIGUSR1);
#define Q(n) do { sigprocmask(SIG_BLOCK, &block, 0); struct itimerval off = { { 0, 0 }, { 0, 0 } }; setitimer(ITIMER_REAL, &off, 0); \
        step_then_storm(#n, n, n##_end, &block, &iv); } while (0)
#define step_then_storm(name, a, b, blk, it) do { setitimer(ITIMER_REAL, it, 0); sigprocmask(SIG_UNBLOCK, blk, 0); sequence(name, a, b); } while (0)
    extern char q_push_end[], q_frame_end[], q_calls_end[], q_flags_end[], q_branches_end[], q_memory_end[], q_esp_high_end[], q_enter_end[], q_string_end[],
        q_segment_end[], q_ret_imm_end[], q_muldiv_end[], q_fpu_end[], q_cmpxchg8b_end[];
#ifdef REPEATS
    Q(q_string);
#else
    Q(q_push); Q(q_frame); Q(q_calls); Q(q_flags); Q(q_branches); Q(q_memory); Q(q_esp_high); Q(q_enter); Q(q_segment);
    Q(q_ret_imm); Q(q_muldiv); Q(q_fpu); Q(q_cmpxchg8b);
#endif
    killing = 0; pthread_join(th, 0);
    return finish();
}
