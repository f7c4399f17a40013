/* Robust mutexes in shared memory: what their next owner finds when a process dies of a signal while it holds one. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct shared { pthread_mutex_t lock[3]; volatile int ready; } *s;

static void *holder(void *arg) { pthread_mutex_lock(&s->lock[1]); __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST); for (;;) pause(); }
static void *runner(void *arg) { pthread_mutex_lock(&s->lock[2]); __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST); for (;;) ; }

static void handler(int n) { signal(n, SIG_DFL); raise(n); }

enum { SELF, FROM_PARENT, IN_LOOP, FAULT, ABORT, THREADS, RESET, ALARM, PIPE, INHERITED };

static const char *find(int i)
{
    struct timespec t; clock_gettime(CLOCK_REALTIME, &t); t.tv_sec += 30;
    int r = pthread_mutex_timedlock(&s->lock[i], &t);
    if (r == EOWNERDEAD) pthread_mutex_consistent(&s->lock[i]);
    if (r == 0 || r == EOWNERDEAD) pthread_mutex_unlock(&s->lock[i]);
    return r ? strerrorname_np(r) : "free";
}

static void one(const char *what, int how, int signal_number)
{
    s->ready = 0;
    pid_t c = fork();
    if (!c) {
        struct rlimit none = { 0, 0 }; setrlimit(RLIMIT_CORE, &none);
        if (how == RESET) signal(signal_number, handler);
        if (how == THREADS) { pthread_t t; pthread_create(&t, 0, holder, 0); pthread_create(&t, 0, runner, 0); while (s->ready < 2) sched_yield(); }
        pthread_mutex_lock(&s->lock[0]);
        __atomic_add_fetch(&s->ready, 1, __ATOMIC_SEQ_CST);
        int p[2];
        switch (how) {
        case FAULT: *(volatile int *)8 = 1; break;
        case ABORT: abort();
        case ALARM: alarm(1); for (;;) pause();
        case PIPE: pipe(p); close(p[0]); write(p[1], "x", 1); break;
        case FROM_PARENT: for (;;) pause();
        case THREADS: poll(0, 0, -1); break;
        case IN_LOOP: for (;;) ;
        default: raise(signal_number);
        }
        _exit(99);
    }
    int st;
    if (how == FROM_PARENT || how == IN_LOOP || how == THREADS) {
        while (s->ready < (how == THREADS ? 3 : 1)) usleep(1000);
        usleep(20000);
        kill(c, signal_number);
    }
    waitpid(c, &st, 0);
    say("%-28s signal %d: %s%s%s%s%s", what, WIFSIGNALED(st) ? WTERMSIG(st) : -WEXITSTATUS(st), find(0), how == THREADS ? ", " : "", how == THREADS ? find(1) : "", how == THREADS ? ", " : "", how == THREADS ? find(2) : "");
}

int main(void)
{
    s = mmap(0, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED); pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < 3; i++) pthread_mutex_init(&s->lock[i], &a);
    one("raise SIGTERM", SELF, SIGTERM); one("raise a real-time signal", SELF, SIGRTMIN + 3); one("raise SIGUSR1", SELF, SIGUSR1); one("raise SIGSYS", SELF, SIGSYS);
    one("killed in pause", FROM_PARENT, SIGTERM); one("killed in pause, SIGHUP", FROM_PARENT, SIGHUP); one("killed in a loop", IN_LOOP, SIGINT); one("a fault", FAULT, 0); one("abort", ABORT, 0);
    one("threads", THREADS, SIGTERM); one("threads, SIGSEGV sent", THREADS, SIGSEGV); one("handler that dies of it", RESET, SIGQUIT); one("alarm", ALARM, 0); one("broken pipe", PIPE, 0);
    /* what is ignored by default does nothing, and handlers read back as they were */
    raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH);
    for (int n = 1; n <= 64; n++) { struct sigaction o; if (n != 32 && n != 33 && !sigaction(n, 0, &o) && (o.sa_handler != SIG_DFL || o.sa_flags)) say("action of %d %p %x", n, o.sa_handler, o.sa_flags); }
    return finish();
}
