/* Threads: creation, joining, mutex kinds, conditions, barriers, cancellation, keys, thread-local storage, signals to threads, exit from any of them. */
#include "guest.h"
#include <semaphore.h>
#include <sys/time.h>

static __thread int tls = 5; static __thread char tls_big[5000]; static pthread_key_t key; static volatile int destroyed, cleaned, hits; static pthread_once_t once = PTHREAD_ONCE_INIT; static int onces;
static void destroy(void *p) { destroyed += (int)p; } static void init(void) { onces++; } static void clean(void *p) { cleaned += (int)p; }
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER; static pthread_cond_t cv = PTHREAD_COND_INITIALIZER; static int shared; static pthread_barrier_t bar; static sem_t sem; static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static void *basic(void *x) { pthread_once(&once, init); pthread_setspecific(key, x); tls += (int)x; tls_big[4999] = 1; return (void *)tls; }
static void *adder(void *x) { for (int i = 0; i < 5000; i++) { pthread_mutex_lock(&m); shared++; pthread_mutex_unlock(&m); } return x; }
static void *waiter(void *x) { pthread_mutex_lock(&m); while (!shared) pthread_cond_wait(&cv, &m); shared++; pthread_mutex_unlock(&m); return x; }
static volatile int under_way;
static void *forever(void *x) { pthread_cleanup_push(clean, (void *)3); under_way = 1; for (;;) pause(); pthread_cleanup_pop(0); return x; }
static void *spins(void *x) { pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0); pthread_cleanup_push(clean, (void *)10); under_way = 1; for (volatile int i = 0;; i++) { } pthread_cleanup_pop(0); return x; }
static void *barrier(void *x) { int r = 0; for (int i = 0; i < 50; i++) if (pthread_barrier_wait(&bar) == PTHREAD_BARRIER_SERIAL_THREAD) r++; return (void *)r; }
static void *holder(void *x) { pthread_mutex_lock(x); return 0; }
static void on_usr(int s) { hits++; tls = 100; }
static volatile int stop; static void *busy(void *x) { while (!stop) { } return (void *)tls; }
static void *reader(void *x) { for (int i = 0; i < 2000; i++) { pthread_rwlock_rdlock(&rw); if (shared < 0) abort(); pthread_rwlock_unlock(&rw); if (i % 100 == 0) { pthread_rwlock_wrlock(&rw); shared++; pthread_rwlock_unlock(&rw); } } return 0; }
static void *stack_user(void *x) { volatile char b[200000]; b[0] = 1; b[199999] = 2; return (void *)(b[0] + b[199999]); }
static void *exits(void *x) { usleep(1000); exit(23); }
static void *leader_gone(void *x) { usleep(30000); printf("the last thread speaks\n"); exit(9); }
static int status(pid_t c) { int st; waitpid(c, &st, 0); return st; }

int main(void)
{
    pthread_t t[64]; void *r; int sum = 0;
    pthread_key_create(&key, destroy); for (int i = 0; i < 20; i++) pthread_create(&t[i], 0, basic, (void *)i); for (int i = 0; i < 20; i++) { pthread_join(t[i], &r); sum += (int)r; }
    say("sum %d destroyed %d once %d own %d", sum, destroyed, onces, tls); say("join twice %d", pthread_join(pthread_self(), &r));
    for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, adder, 0); for (int i = 0; i < 8; i++) pthread_join(t[i], 0); say("mutex %d", shared);
    shared = 0; for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, waiter, 0); usleep(5000); pthread_mutex_lock(&m); shared = 1; pthread_cond_broadcast(&cv); pthread_mutex_unlock(&m); for (int i = 0; i < 8; i++) pthread_join(t[i], 0); say("condition %d", shared);
    struct timespec ts; clock_gettime(CLOCK_REALTIME, &ts); ts.tv_nsec += 10000000; if (ts.tv_nsec >= 1000000000) ts.tv_sec++, ts.tv_nsec -= 1000000000; pthread_mutex_lock(&m); say("timedwait %d", pthread_cond_timedwait(&cv, &m, &ts)); pthread_mutex_unlock(&m);
    pthread_create(&t[0], 0, forever, 0); while (!under_way) sched_yield(); usleep(1000); pthread_cancel(t[0]); pthread_join(t[0], &r); say("cancelled %d cleaned %d", r == PTHREAD_CANCELED, cleaned); under_way = 0; pthread_create(&t[0], 0, spins, 0); while (!under_way) sched_yield(); usleep(1000); pthread_cancel(t[0]); pthread_join(t[0], &r); say("cancelled %d cleaned %d", r == PTHREAD_CANCELED, cleaned);
    pthread_barrier_init(&bar, 0, 6); sum = 0; for (int i = 0; i < 6; i++) pthread_create(&t[i], 0, barrier, 0); for (int i = 0; i < 6; i++) { pthread_join(t[i], &r); sum += (int)r; } say("barrier %d", sum);
    shared = 0; for (int i = 0; i < 5; i++) pthread_create(&t[i], 0, reader, 0); for (int i = 0; i < 5; i++) pthread_join(t[i], 0); say("rwlock %d", shared);
    static pthread_mutex_t kinds[5]; pthread_mutexattr_t a; pthread_mutexattr_init(&a); pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE); pthread_mutex_init(&kinds[0], &a); pthread_mutex_lock(&kinds[0]); say("recursive %d", pthread_mutex_lock(&kinds[0])); pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK); pthread_mutex_init(&kinds[1], &a); pthread_mutex_lock(&kinds[1]); say("errorcheck %d %d", pthread_mutex_lock(&kinds[1]), pthread_mutex_trylock(&kinds[1]));
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST); pthread_mutex_init(&kinds[2], &a); pthread_create(&t[0], 0, holder, &kinds[2]); pthread_join(t[0], 0); int e = pthread_mutex_lock(&kinds[2]); say("robust %d consistent %d unlock %d", e, pthread_mutex_consistent(&kinds[2]), pthread_mutex_unlock(&kinds[2]));
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT); pthread_mutex_init(&kinds[3], &a); e = pthread_mutex_lock(&kinds[3]); sum = pthread_mutex_lock(&kinds[3]); say("pi lock %d again %d unlock %d", e, sum, pthread_mutex_unlock(&kinds[3])); pthread_create(&t[0], 0, holder, &kinds[3]); pthread_join(t[0], 0); e = pthread_mutex_lock(&kinds[3]); say("robust pi %d", e);
    sem_init(&sem, 0, 2); e = sem_wait(&sem); sum = sem_trywait(&sem); say("sem %d %d %d", e, sum, sem_trywait(&sem) ? errno : 0);
    struct sigaction sa = { .sa_handler = on_usr }; sigaction(SIGUSR1, &sa, 0); pthread_create(&t[0], 0, busy, 0); usleep(2000); say("pthread_kill %d", pthread_kill(t[0], SIGUSR1)); while (!hits) sched_yield(); stop = 1; pthread_join(t[0], &r); say("its tls %d mine %d", (int)r, tls);
    pthread_attr_t at; pthread_attr_init(&at); pthread_attr_setstacksize(&at, 262144); pthread_create(&t[0], &at, stack_user, 0); pthread_join(t[0], &r); say("stack %d", (int)r); void *mem = mmap(0, 1 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); pthread_attr_setstack(&at, mem, 1 << 20); pthread_create(&t[0], &at, stack_user, 0); pthread_join(t[0], &r); say("own stack %d", (int)r);
    for (int k = 0; k < 300; k++) { pthread_create(&t[0], 0, basic, 0); pthread_detach(t[0]); if (k % 50 == 0) usleep(1000); } usleep(20000); for (int i = 0; i < 64; i++) e = pthread_create(&t[i], 0, basic, 0); for (int i = 0; i < 64; i++) pthread_join(t[i], 0); say("many %d", e);
    fflush(stdout); pid_t c = fork(); if (!c) { pthread_create(&t[0], 0, exits, 0); pthread_join(t[0], 0); _exit(1); } say("exit from a thread %x", status(c)); c = fork(); if (!c) { pthread_create(&t[0], 0, leader_gone, 0); pthread_exit(0); } say("main thread gone first %x", status(c)); c = fork(); if (!c) { pthread_create(&t[0], 0, busy, (void *)(stop = 0)); pthread_create(&t[0], 0, forever, 0); usleep(2000); execl("/bin/true", "true", (char *)0); _exit(1); } say("exec with other threads %x", status(c)); c = fork(); if (!c) { pthread_create(&t[0], 0, holder, (void *)4); pthread_join(t[0], 0); _exit(1); } say("fault in a thread %x", status(c) & 0x7f);
    c = fork(); if (!c) { tls = 7; pthread_create(&t[0], 0, basic, (void *)1); pthread_join(t[0], &r); _exit((int)r + tls); } say("threads after fork %x", status(c)); cpu_set_t set; CPU_ZERO(&set); say("affinity %d", sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0); char name[16]; pthread_setname_np(pthread_self(), "lodged"); pthread_getname_np(pthread_self(), name, 16); say("name %s", name);
    return finish();
}
