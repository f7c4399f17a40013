/* Threads that end while they hold something; ids, process-directed signals, robust and ordinary futexes over processes. */
#include "guest.h"
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/wait.h>

static pthread_mutex_t *shared_mutex(void)
{
    pthread_mutex_t *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &a);
    return m;
}

static void *hold(void *m) { pthread_mutex_lock(m); return 0; }
static void *hold_pi(void *m) { pthread_mutex_lock(m); return 0; }
static void *sleeper(void *x) { for (;;) pause(); return 0; }
static void *last(void *x) { usleep(20000); _exit(5); return 0; }
static void *ends_group(void *m) { exit(3); return 0; }
static volatile int held;
static void *holds_and_waits(void *m) { pthread_mutex_lock(m); held = 1; for (;;) pause(); return 0; }

int main(int argc, char **argv)
{
    if (argc > 1) return 4;
    pthread_mutex_t *m = shared_mutex();
    pthread_t t;
    pthread_create(&t, 0, hold, m);
    pthread_join(t, 0);
    say("owner thread ended: %d", pthread_mutex_lock(m));
    int r = pthread_mutex_consistent(m);
    say("consistent: %d unlock: %d", r, pthread_mutex_unlock(m));

    pid_t c = fork();
    if (!c) { pthread_mutex_lock(m); _exit(0); }
    waitpid(c, 0, 0);
    say("owner process ended: %d", pthread_mutex_lock(m));
    pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);

    int locked[2]; pipe(locked);
    c = fork();
    if (!c) { pthread_mutex_lock(m); write(locked[1], "x", 1); usleep(30000); execl("/bin/true", "true", (char *)0); _exit(1); }
    char x; read(locked[0], &x, 1);
    r = pthread_mutex_lock(m);
    say("owner replaced by another program: %d", r);
    if (r == EOWNERDEAD) pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);
    waitpid(c, 0, 0);

    c = fork();
    if (!c) { pthread_create(&t, 0, holds_and_waits, m); while (!held) usleep(1000); _exit(0); }
    waitpid(c, 0, 0);
    say("another thread of the ended process had it: %d", pthread_mutex_lock(m));
    pthread_mutex_consistent(m);
    pthread_mutex_unlock(m);

    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    pthread_mutex_t pi;
    pthread_mutex_init(&pi, &a);
    pthread_create(&t, 0, hold_pi, &pi);
    pthread_join(t, 0);
    say("owner of a PI mutex ended: %d", pthread_mutex_lock(&pi));

    int st;
    c = fork();
    if (!c) { pthread_create(&t, 0, last, 0); pthread_exit(0); }
    waitpid(c, &st, 0);
    say("main thread ends first: %x", st);
    c = fork();
    if (!c) { for (int i = 0; i < 5; i++) pthread_create(&t, 0, sleeper, 0); pthread_create(&t, 0, ends_group, 0); for (;;) pause(); }
    waitpid(c, &st, 0);
    say("exit in a thread ends all: %x", st);
    c = fork();
    if (!c) { for (int i = 0; i < 5; i++) pthread_create(&t, 0, sleeper, 0); usleep(5000); kill(getpid(), SIGTERM); for (;;) pause(); }
    waitpid(c, &st, 0);
    say("SIGTERM ends all: %x", st);
    c = fork();
    if (!c) { pthread_create(&t, 0, sleeper, 0); execl("/proc/self/exe", "me", "again", (char *)0); _exit(9); }
    waitpid(c, &st, 0);
    say("exec with another thread: %x", st);

    void *head;
    size_t len = 0;
    say("get_robust_list %ld length %d", raw(SYS_get_robust_list, 0, &head, &len), (int)len);
    say("set_robust_list of another size %ld", raw(SYS_set_robust_list, head, 24));
    say("set_tid_address is gettid %d", raw(SYS_set_tid_address, 0) == raw(SYS_gettid));
    return finish();
}
