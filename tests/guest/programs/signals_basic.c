/* Signals: dispositions, masks, restart, nesting, queueing, waiting, alternate stacks, what a frame holds, what a parent learns. */
#include "guest.h"
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int count, depth, max_depth, last, values[64], n_values; static volatile siginfo_t info; static volatile u32 mask_inside, flags_on_stack;
static void h(int s) { count++; last = s; }
static void hi(int s, siginfo_t *i, void *c) { count++; last = s; memcpy((void *)&info, i, sizeof info); if (n_values < 64) values[n_values++] = i->si_value.sival_int; mask_inside = ((ucontext_t *)c)->uc_sigmask.__val[0]; }
static void nest(int s) { if (++depth > max_depth) max_depth = depth; if (count++ < 5) raise(s); depth--; }
static void act(int s, void *f, int flags) { struct sigaction a; memset(&a, 0, sizeof a); a.sa_sigaction = f; a.sa_flags = flags; if (sigaction(s, &a, 0)) say("sigaction %d: %d", s, -errno); }
static sigset_t set(int a, int b) { sigset_t s; sigemptyset(&s); if (a) sigaddset(&s, a); if (b) sigaddset(&s, b); return s; }
#define R(x) say("%-40s %ld", #x, (long)kernel_result(x))
#define RS(...) say("%-40s %ld", #__VA_ARGS__, raw(__VA_ARGS__))
static void *alt; static volatile int on_alt, alt_flags;
static void halt(int s, siginfo_t *i, void *c) { char x; on_alt = &x > (char *)alt && &x < (char *)alt + 32768; stack_t o; sigaltstack(0, &o); alt_flags = o.ss_flags; o.ss_flags = 0; if (sigaltstack(&o, 0)) count = -errno; }
static int wait_status(pid_t c) { int st = 0; waitpid(c, &st, 0); return st; }

int main(void)
{
    struct sigaction old; sigset_t m; int fd[2], st; char b[8]; struct timespec ts = { 0, 0 }; siginfo_t si;
    /* dispositions */
    R(sigaction(0, 0, 0)); R(sigaction(65, 0, 0)); R(sigaction(SIGKILL, 0, &old)); struct sigaction ign = { .sa_handler = SIG_IGN }; R(sigaction(SIGKILL, &ign, 0)); R(sigaction(SIGSTOP, &ign, 0)); RS(SYS_rt_sigaction, SIGUSR1, 0, 0, 4); RS(SYS_rt_sigaction, SIGUSR1, 8, 0, 8);
    act(SIGUSR1, h, SA_RESTART | SA_NODEFER); sigaction(SIGUSR1, 0, &old); say("flags %x", old.sa_flags & ~0x04000000); RS(SYS_signal, SIGUSR2, 1); sigaction(SIGUSR2, 0, &old); say("old signal(): flags %x", old.sa_flags); struct { u32 f, m, fl, r; } ka = { 1, 0x100, 0x10000000, 0 }, ko = { 0 }; RS(SYS_sigaction, SIGUSR2, &ka, &ko); RS(SYS_sigaction, SIGUSR2, 0, &ko); say("%x %x %x", ko.f, ko.m, ko.fl);
    raise(SIGUSR1); say("raised %d", count); act(SIGUSR1, h, SA_RESETHAND); raise(SIGUSR1); sigaction(SIGUSR1, 0, &old); say("reset %d", old.sa_handler == SIG_DFL);
    act(SIGUSR1, nest, 0); count = 0; raise(SIGUSR1); say("deferred depth %d count %d", max_depth, count); max_depth = 0; act(SIGUSR1, nest, SA_NODEFER); count = 0; raise(SIGUSR1); say("nodefer depth %d", max_depth);
    /* masks */
    m = set(SIGUSR1, SIGKILL); R(sigprocmask(SIG_BLOCK, &m, 0)); sigprocmask(0, 0, &m); say("mask %lx", m.__val[0]); act(SIGUSR1, hi, SA_SIGINFO); count = 0; raise(SIGUSR1); raise(SIGUSR1); say("blocked %d", count); sigpending(&m); say("pending %lx", m.__val[0]); RS(SYS_sigpending, &m); say("%lx", m.__val[0] & 0xffffffff);
    m = set(SIGUSR1, 0); R(sigprocmask(SIG_UNBLOCK, &m, 0)); say("delivered %d pid %d uid %d code %d", count, info.si_pid == getpid(), info.si_uid == getuid(), info.si_code); R(sigprocmask(77, &m, 0)); RS(SYS_rt_sigprocmask, 0, 0, 0, 4); RS(SYS_rt_sigprocmask, 0, 8, 0, 8); RS(SYS_sigprocmask, 0, 0, &m); RS(SYS_sgetmask); RS(SYS_ssetmask, 0x200); RS(SYS_ssetmask, 0);
    struct sigaction sm = { .sa_sigaction = hi, .sa_flags = SA_SIGINFO }; sm.sa_mask = set(SIGUSR2, SIGRTMIN + 1); sigaction(SIGUSR1, &sm, 0); m = set(SIGALRM, 0); sigprocmask(SIG_BLOCK, &m, 0); raise(SIGUSR1); say("uc_sigmask %x", mask_inside); sigprocmask(SIG_UNBLOCK, &m, 0);
    /* queueing */
    act(SIGRTMIN, hi, SA_SIGINFO); act(SIGRTMIN + 2, hi, SA_SIGINFO); m = set(SIGRTMIN, SIGRTMIN + 2); sigprocmask(SIG_BLOCK, &m, 0); n_values = 0; for (int i = 0; i < 10; i++) sigqueue(getpid(), SIGRTMIN + (i & 1) * 2, (union sigval){ .sival_int = i }); sigprocmask(SIG_UNBLOCK, &m, 0); for (int i = 0; i < n_values; i++) printf("%d ", values[i]); say("in order, code %d", info.si_code);
    sigprocmask(SIG_BLOCK, &m, 0); sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 77 }); R(sigwaitinfo(&m, &si)); say("%d %d %d", si.si_signo, si.si_value.sival_int, si.si_code); R(sigtimedwait(&m, &si, &ts)); ts.tv_nsec = 2000000000; R(sigtimedwait(&m, &si, &ts)); ts = (struct timespec){ 0, 1000000 }; R(sigtimedwait(&m, &si, &ts)); RS(SYS_rt_sigtimedwait, &m, 0, 0, 4); RS(SYS_rt_sigtimedwait_time64, &m, &si, &(long long[2]){ 0, 1000 }, 8);
    siginfo_t q = { .si_code = -7, .si_signo = SIGRTMIN }; q.si_value.sival_int = 5; RS(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &q); R(sigwaitinfo(&m, &si)); say("code %d value %d", si.si_code, si.si_value.sival_int); q.si_code = 5; RS(SYS_rt_sigqueueinfo, getppid(), SIGRTMIN, &q); RS(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &(siginfo_t){ .si_code = -1 }); R(sigwaitinfo(&m, &si)); sigprocmask(SIG_UNBLOCK, &m, 0);
    int sfd = signalfd(-1, &(sigset_t){ { 1 << (SIGHUP - 1) } }, SFD_NONBLOCK); struct signalfd_siginfo ssi; m = set(SIGHUP, 0); sigprocmask(SIG_BLOCK, &m, 0); R(read(sfd, &ssi, sizeof ssi)); raise(SIGHUP); R(read(sfd, &ssi, sizeof ssi)); say("signalfd %u code %d pid %d", ssi.ssi_signo, ssi.ssi_code, (int)ssi.ssi_pid == getpid()); R(read(sfd, &ssi, 5)); sigprocmask(SIG_UNBLOCK, &m, 0);
    /* restart */
    pipe(fd); for (int r = 0; r < 2; r++) { act(SIGALRM, h, r ? SA_RESTART : 0); struct itimerval v = { { 0, 0 }, { 0, 100000 } }; pid_t c = fork(); if (!c) { usleep(1000000); write(fd[1], "x", 1); _exit(0); } setitimer(ITIMER_REAL, &v, 0); count = 0; say("read with%s restart: %ld count %d", r ? "" : "out", (long)kernel_result(read(fd[0], b, 1)), count); wait_status(c); if (!r) read(fd[0], b, 1); }
    act(SIGALRM, h, SA_RESTART); struct itimerval v = { { 0, 0 }, { 0, 100000 } }; setitimer(ITIMER_REAL, &v, 0); struct timespec left = { 9, 9 }, want = { 5, 0 }; R(nanosleep(&want, &left)); say("left %ld", (long)left.tv_sec); setitimer(ITIMER_REAL, &v, 0); R(pause()); setitimer(ITIMER_REAL, &v, 0); m = set(0, 0); R(sigsuspend(&m)); setitimer(ITIMER_REAL, &v, 0); say("poll %ld", raw(SYS_poll, 0, 0, 3000)); setitimer(ITIMER_REAL, &v, 0); fd_set fs; FD_ZERO(&fs); FD_SET(fd[0], &fs); R(select(fd[0] + 1, &fs, 0, 0, &(struct timeval){ 3, 0 })); setitimer(ITIMER_REAL, &v, 0); pid_t c = fork(); if (!c) { usleep(50000); _exit(3); } R(waitpid(c, &st, 0) == c); say("st %x", st); m = set(SIGALRM, 0); sigprocmask(SIG_BLOCK, &m, 0); setitimer(ITIMER_REAL, &v, 0); m = set(0, 0); RS(SYS_sigsuspend, 0, 0, 0); sigprocmask(SIG_SETMASK, &m, 0);
    want = (struct timespec){ 0, 30000000 }; act(SIGCONT, SIG_DFL, 0); c = fork(); if (!c) { struct timespec w = { 0, 600000000 }; int r = raw(SYS_nanosleep, &w, &left); _exit(r == 0 ? 9 : 8); } usleep(20000); kill(c, SIGSTOP); waitpid(c, &st, WUNTRACED); say("stopped %x", st); kill(c, SIGCONT); waitpid(c, &st, WCONTINUED); say("continued %x", st); say("nanosleep over stop: %x", wait_status(c));
    /* alternate stack */
    alt = malloc(32768); stack_t ss = { .ss_sp = alt, .ss_size = 32768 }, so; R(sigaltstack(&ss, &so)); say("was %x", so.ss_flags); act(SIGUSR2, halt, SA_SIGINFO | SA_ONSTACK); count = 0; raise(SIGUSR2); say("on %d flags %x changing there %d", on_alt, alt_flags, count); ss.ss_flags = (1u << 31); R(sigaltstack(&ss, 0)); raise(SIGUSR2); say("autodisarm on %d flags %x", on_alt, alt_flags); ss.ss_flags = SS_DISABLE; R(sigaltstack(&ss, &so)); say("was %x", so.ss_flags); ss.ss_flags = 0x77; R(sigaltstack(&ss, 0)); ss.ss_flags = 0; ss.ss_size = 1000; R(sigaltstack(&ss, 0));
    /* what a parent learns */
    const int sigs[] = { SIGTERM, SIGSEGV, SIGABRT, SIGKILL, SIGRTMAX, SIGCHLD, SIGPIPE }; for (int i = 0; i < 7; i++) { c = fork(); if (!c) { for (int s = 1; s < 32; s++) signal(s, SIG_DFL); raise(sigs[i]); _exit(40 + i); } st = wait_status(c); say("by %d: %s %d", sigs[i], WIFSIGNALED(st) ? "signal" : "exit", WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st)); }
    act(SIGCHLD, hi, SA_SIGINFO | SA_NOCLDSTOP); count = 0; c = fork(); if (!c) _exit(5); wait_status(c); say("SIGCHLD code %d status %d pid %d", info.si_code, info.si_status, info.si_pid == c); c = fork(); if (!c) raise(SIGKILL); wait_status(c); say("SIGCHLD code %d status %d", info.si_code, info.si_status); act(SIGCHLD, SIG_DFL, SA_NOCLDWAIT); c = fork(); if (!c) _exit(5); R(waitpid(c, &st, 0));
    act(SIGCHLD, SIG_DFL, 0); c = fork(); if (!c) { signal(SIGPIPE, SIG_IGN); close(fd[0]); R(write(fd[1], "x", 1)); fflush(stdout); int z[2]; pipe(z); close(z[0]); R(write(z[1], "x", 1)); signal(SIGPIPE, SIG_DFL); write(z[1], "x", 1); _exit(1); } say("%x", wait_status(c));
    R(kill(getpid(), 0)); R(kill(-99999, 0)); R(kill(getpid(), 99)); RS(SYS_tgkill, getpid(), getpid(), 0); RS(SYS_tgkill, getpid(), 1, 0); RS(SYS_tgkill, -1, 1, 0); RS(SYS_tkill, 0, 0); R(raise(SIGWINCH)); R(raise(SIGURG));
    act(SIGSYS, hi, SA_SIGINFO); act(SIGTRAP, hi, SA_SIGINFO); R(raise(SIGTRAP)); say("user trap code %d", info.si_code); m = set(SIGSEGV, 0); sigprocmask(SIG_BLOCK, &m, 0); act(SIGSEGV, hi, SA_SIGINFO); count = 0; raise(SIGSEGV); say("sent SIGSEGV blocked: %d", count); sigprocmask(SIG_UNBLOCK, &m, 0); say("unblocked: %d", count); fflush(stdout); c = fork(); if (!c) { sigprocmask(SIG_BLOCK, &m, 0); *(volatile int *)4 = 1; _exit(1); } say("real SIGSEGV while blocked: %x", wait_status(c) & 0x7f); c = fork(); if (!c) { signal(SIGSEGV, SIG_IGN); raise(SIGSEGV); *(volatile int *)4 = 1; _exit(1); } say("real SIGSEGV while ignored: %x", wait_status(c) & 0x7f);
    return finish();
}
