/* insn.h - run a piece of machine code with chosen registers and flags, and see what it leaves, or how it faults.
 *
 * CODE(name, "asm text") makes a piece; it ends with `ret` by itself. run(name, &regs) executes it: on return regs holds what it left.
 * When it raises a signal, run returns the signal number and `fault` holds the frame; execution goes on behind it on run's own stack.
 * Code addresses are printed relative to the piece, stack addresses relative to esp at its first instruction.
 */
#ifndef INSN_H
#define INSN_H
#include "guest.h"
#include <ucontext.h>

#define CF 0x001
#define PF 0x004
#define AF 0x010
#define ZF 0x040
#define SF 0x080
#define TF 0x100
#define DF 0x400
#define OF 0x800
#define ARITH (CF | PF | AF | ZF | SF | OF)
#define NT 0x4000
#define AC 0x40000
#define ID 0x200000

struct regs { u32 edi, esi, ebp, ebx, edx, ecx, eax, eflags; };
struct fault { int sig, code; u32 addr, eip, esp, trapno, err, cr2, eflags; struct regs r; u32 cs, ds, es, fs, gs, ss; };

extern struct regs run_regs; extern u32 run_code, run_esp, run_inner_esp;
int run_asm(void);
struct regs run_regs; u32 run_code, run_esp, run_inner_esp;
static struct fault fault;
static volatile int run_active;
/* called in the handler before the frame is changed to go on behind run(); return 1 to leave the frame as the hook made it */
static int (*fault_hook)(int sig, siginfo_t *info, ucontext_t *uc);

__asm__(".text\n.globl run_asm\nrun_asm:\n"
    "pushl %ebp\n pushl %ebx\n pushl %esi\n pushl %edi\n"
    "movl %esp, run_esp\n"
    "leal -4(%esp), %eax\n movl %eax, run_inner_esp\n"
    "pushl run_regs+28\n popfl\n"
    "movl run_regs+0, %edi\n movl run_regs+4, %esi\n movl run_regs+8, %ebp\n movl run_regs+12, %ebx\n"
    "movl run_regs+16, %edx\n movl run_regs+20, %ecx\n movl run_regs+24, %eax\n"
    "call *run_code\n"
    "movl %eax, run_regs+24\n movl %ecx, run_regs+20\n movl %edx, run_regs+16\n movl %ebx, run_regs+12\n"
    "movl %ebp, run_regs+8\n movl %esi, run_regs+4\n movl %edi, run_regs+0\n"
    "pushfl\n popl run_regs+28\n"
    "pushl $0x202\n popfl\n"
    "xorl %eax, %eax\n"
    ".globl run_out\nrun_out:\n"
    "popl %edi\n popl %esi\n popl %ebx\n popl %ebp\n ret\n"
    ".globl run_faulted\nrun_faulted:\n"
    "movl $1, %eax\n jmp run_out\n");
extern char run_faulted[];

#define CODE(name, text) extern char name[]; __asm__(".text\n.p2align 4\n.globl " #name "\n" #name ":\n" text "\nret\n.globl " #name "_end\n" #name "_end:\n");

static void run_handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    fault = (struct fault){ sig, info->si_code, (u32)info->si_addr, g[REG_EIP], g[REG_ESP], g[REG_TRAPNO], g[REG_ERR], uc->uc_mcontext.cr2,
        g[REG_EFL], { g[REG_EDI], g[REG_ESI], g[REG_EBP], g[REG_EBX], g[REG_EDX], g[REG_ECX], g[REG_EAX], g[REG_EFL] },
        (u16)g[REG_CS], (u16)g[REG_DS], (u16)g[REG_ES], (u16)g[REG_FS], (u16)g[REG_GS], (u16)g[REG_SS] };
    if (fault_hook && fault_hook(sig, info, uc)) return;
    if (!run_active) { printf("# bad: signal %d at %x outside of a piece\n", sig, fault.eip); fflush(stdout); _exit(3); }
    g[REG_EIP] = (u32)run_faulted; g[REG_ESP] = run_esp; g[REG_EFL] = 0x202;
}

static void insn_start(void)
{
    static char stack[65536];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction sa = { .sa_sigaction = run_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
    sigaltstack(&ss, 0);
    for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) sigaction(sigs[i], &sa, 0);
}

/* 0, or the signal that the piece raised */
__attribute__((noinline)) static int run(const void *code, struct regs *r)
{
    run_regs = *r; run_regs.eflags |= 0x202; run_code = (u32)code; run_active = 1;
    int faulted = run_asm();
    run_active = 0;
    if (faulted) { *r = fault.r; return fault.sig; }
    *r = run_regs;
    return 0;
}

static const struct regs some_regs = { 0xd1d1d1d1, 0x51515151, 0xb9b9b9b9, 0xbbbb1234, 0xdddd5678, 0xcccc0003, 0xaaaa9abc, 0x202 };

static const char *flag_names(u32 f)
{
    static char b[4][40]; static int i; char *s = b[i++ & 3];
    sprintf(s, "%s%s%s%s%s%s%s", f & CF ? "C" : "-", f & PF ? "P" : "-", f & AF ? "A" : "-", f & ZF ? "Z" : "-", f & SF ? "S" : "-",
            f & DF ? "D" : "-", f & OF ? "O" : "-");
    return s;
}

/* an address as an offset where that makes it the same in every run; the stack, whose place is random, ends below 0xffffe000 */
static const char *where(u32 a, const char *code)
{
    static char b[16][32]; static int i; char *s = b[i++ & 15];
    if (a - (u32)code + 4096 < 8192) sprintf(s, "code%+d", (int)(a - (u32)code));
    else if (a > 0x100000 && a < 0xffffe000 && a - run_inner_esp + 65536 < 131072) sprintf(s, "esp%+d", (int)(a - run_inner_esp));
    else sprintf(s, "%x", a);
    return s;
}

static void show_regs(const char *name, const struct regs *r, u32 flag_mask)
{
    say("%-22s eax %08x ecx %08x edx %08x ebx %08x ebp %08x esi %08x edi %08x %s", name, r->eax, r->ecx, r->edx, r->ebx, r->ebp, r->esi, r->edi,
        flag_names(r->eflags & flag_mask));
}

static void show_fault(const char *name, const char *code, u32 flag_mask)
{
    say("%-22s signal %d code %d addr %s eip %s esp %s trap %u err %x flags %s", name, fault.sig, fault.code, where(fault.addr, code),
        where(fault.eip, code), where(fault.esp, code), fault.trapno, fault.err, flag_names(fault.eflags & flag_mask));
    say("%-22s eax %s ecx %s edx %s ebx %s ebp %s esi %s edi %s", "", where(fault.r.eax, code), where(fault.r.ecx, code), where(fault.r.edx, code),
        where(fault.r.ebx, code), where(fault.r.ebp, code), where(fault.r.esi, code), where(fault.r.edi, code));
}

/* run with some_regs and these flags, print what came of it */
static inline int run_show(const char *name, const char *code, struct regs r, u32 flag_mask)
{
    int sig = run(code, &r);
    if (sig) show_fault(name, code, flag_mask | DF); else show_regs(name, &r, flag_mask | DF);
    return sig;
}
#define SHOW(name, flags_in, mask) do { struct regs r_ = some_regs; r_.eflags = (flags_in); run_show(#name, name, r_, mask); } while (0)
#define SHOW_REGS(name, mask, ...) do { struct regs r_ = some_regs; __VA_ARGS__; run_show(#name, name, r_, mask); } while (0)
#endif
