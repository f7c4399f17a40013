/* Signal frames byte for byte where they are defined: both kinds, registers, floating point, alternate stack, edits on return. */
#include "guest.h"
#include <sys/ucontext.h>

struct legacy { u32 cw, sw, tag, ipoff, cssel, dataoff, datasel; unsigned char st[80]; unsigned short status, magic; };
static volatile int hits;
static char *altstack;

static void show_fp(const unsigned char *fp, u32 flags)
{
    const struct legacy *l = (const void *)fp;
    const u32 *sw = (const u32 *)(fp + 112 + 464);
    say("  cw %x tag %x status %x magic %x", l->cw & 0xffff, l->tag & 0xffff, l->status & 0xffff, l->magic);
    say("  st0 %x st1 %x", hash(HASH_START, l->st, 10), hash(HASH_START, l->st + 10, 10));
    say("  mxcsr %x aligned %d uc_flags %x", *(const u32 *)(fp + 112 + 24), (unsigned)(fp + 112) % 64, flags);
    say("  xmm0 %x xmm7 %x", hash(HASH_START, fp + 112 + 160, 16), hash(HASH_START, fp + 112 + 160 + 112, 16));
    if (flags & 1) {
        u32 size = sw[4];
        say("  magic1 %d size fits %d magic2 %d", sw[0] == 0x46505853, sw[1] == size + 4 + 112, *(const u32 *)(fp + 112 + size) == 0x46505845);
        say("  x87 and sse present %d, known %d", (fp[112 + 512] & 3) == 3, (sw[2] & 3) == 3);
    }
}

static void plain(int s, struct sigcontext sc)
{
    hits++;
    const u32 *frame = (const u32 *)((char *)&s - 4);
    say("plain %d cs %x ss %x ds %x es %x oldmask %x", s, sc.cs, sc.ss, sc.ds, sc.es, (u32)sc.oldmask);
    say("  frame aligned %d ebx %d esi %x", (unsigned)((char *)&s) % 16, (u32)sc.ebx == (u32)getpid(), (u32)sc.esi);
    say("  retcode %x", hash(HASH_START, (char *)frame + 724, 8));
    show_fp((const void *)sc.fpstate, 0);
    u32 fresh;
    __asm__ volatile("stmxcsr %0" : "=m"(fresh));
    unsigned short cw;
    __asm__ volatile("fnstcw %0" : "=m"(cw));
    say("  in the handler: mxcsr %x cw %x", fresh, cw);
}

static void rt(int s, siginfo_t *i, void *u)
{
    ucontext_t *c = u;
    hits++;
    greg_t *g = c->uc_mcontext.gregs;
    char here;
    say("rt %d code %d value %x", s, i->si_code, i->si_code == SI_QUEUE ? i->si_value.sival_int : 0);
    say("  on alternate stack %d ss_flags %x size %d", &here > altstack && &here < altstack + 65536, c->uc_stack.ss_flags, (int)c->uc_stack.ss_size);
    say("  mask %x link %p info behind frame %d", *(u32 *)&c->uc_sigmask, (void *)c->uc_link, (char *)u - (char *)i);
    show_fp((const void *)c->uc_mcontext.fpregs, c->uc_flags);
    g[REG_EBX] = 0x12345678;
    sigaddset(&c->uc_sigmask, SIGUSR2);
    *(u32 *)((char *)c->uc_mcontext.fpregs + 112 + 160) = 0x40490fdb; /* xmm0 */
    ((struct legacy *)c->uc_mcontext.fpregs)->cw = 0x27f;
}

static void raise_with_state(int sig, u32 *ebx, u32 *xmm0, unsigned short *cw)
{
    u32 mx = 0x1f80 | 0x6000;
    pid_t p = getpid();
    u32 b;
    struct { u32 mx, out; float ones[4]; unsigned short cw; } v = { mx, 0, { 1, 2, 3, 4 }, 0 };
    __asm__ volatile(
        "ldmxcsr (%%edi); movups 8(%%edi), %%xmm0; movups 8(%%edi), %%xmm7; fninit; fldpi; fld1\n\t"
        "movl $37, %%eax; int $0x80\n\t"
        "movss %%xmm0, 4(%%edi); fnstcw 24(%%edi); fninit"
        : "=b"(b) : "b"(p), "c"(sig), "D"(&v), "S"(0x5a5a0001) : "eax", "edx", "memory", "cc");
    *xmm0 = v.out;
    *cw = v.cw;
    *ebx = b;
    mx = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mx));
}

int main(void)
{
    u32 b, x;
    unsigned short cw;
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = (void (*)(int))plain;
    sigaction(SIGUSR1, &sa, 0);
    raise_with_state(SIGUSR1, &b, &x, &cw);
    say("after plain: ebx is pid %d xmm0 %x cw %x", b == (u32)getpid(), x, cw);

    stack_t ss = { .ss_sp = altstack = malloc(65536), .ss_size = 65536 };
    sigaltstack(&ss, 0);
    sa.sa_sigaction = rt;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGUSR1, &sa, 0);
    raise_with_state(SIGUSR1, &b, &x, &cw);
    say("after rt: ebx %x xmm0 %x cw %x", b, x, cw);
    sigset_t m;
    sigprocmask(SIG_SETMASK, 0, &m);
    say("SIGUSR2 blocked by the edited mask %d", sigismember(&m, SIGUSR2));

    union sigval v = { .sival_int = 0x7777 };
    ss.ss_flags = 1u << 31; /* SS_AUTODISARM */
    say("autodisarm %d", sigaltstack(&ss, 0));
    sigqueue(getpid(), SIGUSR1, v);
    stack_t now;
    sigaltstack(0, &now);
    say("back with flags %x size %d", now.ss_flags, (int)now.ss_size);
    say("%d handlers", hits);
    return finish();
}
