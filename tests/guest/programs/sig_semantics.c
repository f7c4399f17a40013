/* What signals do to calls and to each other: restarts, one-shot handlers, masks, order, faults that are blocked or ignored. */
#include "guest.h"
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int n;
static int order[64], count;
static void bump(int s) { n++; }
static void note(int s, siginfo_t *i, void *u) { if (count < 64) order[count++] = s * 1000 + i->si_value.sival_int; }

static void action(int sig, void (*h)(int), int flags)
{
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = h;
    sa.sa_flags = flags;
    sigaction(sig, &sa, 0);
}

static void alarm_in(int us) { struct itimerval v = { { 0, 0 }, { 0, us } }; setitimer(ITIMER_REAL, &v, 0); }

static void child(const char *what, int (*f)(void))
{
    fflush(stdout);
    pid_t p = fork();
    if (!p) _exit(f());
    int st;
    waitpid(p, &st, 0);
    if (WIFSIGNALED(st)) say("%s: signal %d", what, WTERMSIG(st)); else say("%s: exit %d", what, WEXITSTATUS(st));
}

static int blocked_fault(void) { sigset_t m; sigemptyset(&m); sigaddset(&m, SIGSEGV); action(SIGSEGV, bump, 0); sigprocmask(SIG_BLOCK, &m, 0); *(volatile int *)8 = 0; return 1; }
static int ignored_fault(void) { signal(SIGSEGV, SIG_IGN); *(volatile int *)8 = 0; return 1; }
static int ignored_send(void) { signal(SIGSEGV, SIG_IGN); signal(SIGTRAP, SIG_IGN); kill(getpid(), SIGSEGV); raise(SIGTRAP); return 7; }
static int blocked_send(void) { sigset_t m, p; sigemptyset(&m); sigaddset(&m, SIGFPE); action(SIGFPE, bump, 0); sigprocmask(SIG_BLOCK, &m, 0); raise(SIGFPE); sigpending(&p); int a = sigismember(&p, SIGFPE) * 10 + n; sigprocmask(SIG_UNBLOCK, &m, 0); return a + n * 100; }
static int divide(void) { volatile int z = 0; return 10 / z; }
static int bad_frame(void) { static char small[4096]; stack_t ss = { .ss_sp = small, .ss_size = sizeof small }; sigaltstack(&ss, 0); action(SIGUSR1, bump, SA_ONSTACK); munmap((void *)((uintptr_t)small & -4096u), 8192); raise(SIGUSR1); return 1; }
static int one_shot(void) { action(SIGUSR1, bump, SA_RESETHAND); raise(SIGUSR1); raise(SIGUSR1); return 1; }
static int term(void) { raise(SIGTERM); return 1; }
static int stop(void) { signal(SIGCONT, bump); pid_t me = getpid(); if (!fork()) { await_state(me, 'T'); kill(me, SIGCONT); _exit(0); } kill(me, SIGSTOP); wait(0); return n; }
static int bad_return(void) { u32 z = 0; __asm__ volatile("movl $0x10, %%esp; movl $173, %%eax; int $0x80" : : "r"(z)); return 1; }

int main(void)
{
    int p[2];
    char c;
    pipe(p);
    action(SIGALRM, bump, 0);
    alarm_in(100000);
    long r = raw(SYS_read, p[0], &c, 1);
    say("read without SA_RESTART %ld, handlers %d", r, n);
    action(SIGALRM, bump, SA_RESTART);
    n = 0;
    if (!fork()) { usleep(500000); write(p[1], "x", 1); _exit(0); }
    alarm_in(100000);
    r = raw(SYS_read, p[0], &c, 1);
    say("read with SA_RESTART %ld, handlers %d", r, n);
    wait(0);
    alarm_in(100000);
    struct pollfd f = { p[0], POLLIN, 0 };
    say("poll is never restarted %ld", raw(SYS_poll, &f, 1, 1000));
    alarm_in(100000);
    struct timespec t = { 5, 0 }, left;
    r = raw(SYS_nanosleep, &t, &left);
    say("nanosleep %ld, rest above 4 s %d", r, left.tv_sec == 4);
    alarm_in(100000);
    say("pause %ld", raw(SYS_pause));

    sigset_t m, old;
    sigfillset(&m);
    sigprocmask(SIG_SETMASK, &m, &old);
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = note;
    sa.sa_flags = SA_SIGINFO;
    sigfillset(&sa.sa_mask);
    int list[] = { SIGRTMIN + 3, SIGRTMIN, SIGUSR2, SIGUSR1, 64 };
    for (int i = 0; i < 5; i++) sigaction(list[i], &sa, 0);
    for (int i = 0; i < 3; i++) for (int k = 0; k < 5; k++) { union sigval v = { .sival_int = i }; raw(SYS_getpid); sigqueue(getpid(), list[k], v); }
    sigprocmask(SIG_SETMASK, &old, 0);
    for (int i = 0; i < count; i++) printf("%d ", order[i]);
    say(": %d taken in this order", count);

    n = 0;
    action(SIGUSR1, bump, 0);
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    sigprocmask(SIG_BLOCK, &m, &old);
    raise(SIGUSR1);
    say("before sigsuspend %d", n);
    r = sigsuspend(&old);
    say("sigsuspend %ld %d, handlers %d", r, errno, n);
    sigprocmask(SIG_BLOCK, 0, &m);
    say("SIGUSR1 blocked again %d", sigismember(&m, SIGUSR1));
    struct timespec zero = { 0, 1000000 };
    siginfo_t si;
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    r = sigtimedwait(&m, &si, &zero);
    say("sigtimedwait %ld %d", r, errno);
    raise(SIGUSR1);
    r = sigtimedwait(&m, &si, &zero);
    say("sigtimedwait %ld code %d", r, si.si_code);
    sigprocmask(SIG_SETMASK, &old, 0);

    child("blocked SIGSEGV that happens", blocked_fault);
    child("ignored SIGSEGV that happens", ignored_fault);
    child("ignored fault signals that are sent", ignored_send);
    n = 0;
    child("blocked SIGFPE that is sent", blocked_send);
    child("division", divide);
    child("alternate stack that is gone", bad_frame);
    child("one shot", one_shot);
    child("SIGTERM", term);
    n = 0;
    child("stop and continue", stop);
    child("sigreturn without a frame", bad_return);
    return finish();
}
