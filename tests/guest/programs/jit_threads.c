/* Threads that generate and run much code while others loop, recurse, sleep and take signals: with a small code cache (LODGE_CODE_CACHE=1M)
 * the translations of all of them are thrown away again and again, and none may notice. */
#include "guest.h"
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { REGION = 2 << 20, FUNCTION = 1024, ROUNDS = 3, GENERATORS = 3 };
static volatile int running = GENERATORS, eintr, handled;
static unsigned sums[GENERATORS];

/* A function of straight pieces and forward branches: result = a chain of adds and rotates of its argument. */
static unsigned emit(unsigned char *p, unsigned seed, unsigned argument)
{
    unsigned char *start = p;
    unsigned value = argument;
    *p++ = 0x8b; *p++ = 0x44; *p++ = 0x24; *p++ = 4;            /* mov eax, [esp+4] */
    while (p - start < FUNCTION - 32) {
        seed = seed * 1664525 + 1013904223;
        switch (seed >> 29) {
        case 0: case 1: *p++ = 0x05; memcpy(p, &seed, 4); p += 4; value += seed; break;                      /* add eax, imm */
        case 2: *p++ = 0xc1; *p++ = 0xc0; *p++ = 7; value = value << 7 | value >> 25; break;                 /* rol eax, 7 */
        case 3: *p++ = 0xf7; *p++ = 0xd0; value = ~value; break;                                             /* not eax */
        case 4: *p++ = 0xa8; *p++ = 1; *p++ = 0x74; *p++ = 1; *p++ = 0x40; value += value & 1; break;        /* test al, 1; jz +1; inc eax */
        case 5: *p++ = 0xe8; memset(p, 0, 4); p += 4; *p++ = 0x59; break;                                    /* call $+5; pop ecx */
        case 6: *p++ = 0x35; memcpy(p, &seed, 4); p += 4; value ^= seed; break;                              /* xor eax, imm */
        default: *p++ = 0xeb; *p++ = 0; break;                                                               /* jmp $+2 */
        }
    }
    *p++ = 0xc3;
    return value;
}

static void *generator(void *arg)
{
    unsigned id = (unsigned)arg, wrong = 0;
    unsigned char *region = mmap(0, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static unsigned expect[GENERATORS][REGION / FUNCTION];
    for (int round = 0; round < ROUNDS; round++) {
        mprotect(region, REGION, PROT_READ | PROT_WRITE);
        for (unsigned f = 0; f < REGION / FUNCTION; f++) expect[id][f] = emit(region + f * FUNCTION, id * 977 + round * 31 + f, f);
        mprotect(region, REGION, PROT_READ | PROT_EXEC);
        for (unsigned f = 0; f < REGION / FUNCTION; f++) {
            unsigned r = ((unsigned (*)(unsigned))(region + f * FUNCTION))(f);
            wrong += r != expect[id][f];
            sums[id] = sums[id] * 31 + r;
        }
    }
    munmap(region, REGION);
    __sync_fetch_and_sub(&running, 1);
    return (void *)wrong;
}

/* long loops without a call in them, with state in x87 and SSE registers */
static void *looper(void *arg)
{
    unsigned wrong = 0;
    double first = 0; float vfirst = 0;
    for (int n = 0; running || n < 2; n++) {
        long double s = 1; float v[4] = { 1, 2, 3, 4 };
        for (int i = 1; i < 200000; i++) {
            s = s * 1.0000001L + 1.0L / i;
            for (int k = 0; k < 4; k++) v[k] = v[k] * 0.999f + i;
        }
        if (!n) first = s, vfirst = v[3];
        wrong += (double)s != first || v[3] != vfirst;
    }
    return (void *)wrong;
}

static int __attribute__((noinline)) deep(int n, int (*self)(int, void *), void *p) { return n ? self(n - 1, p) + 1 : 0; }
static int __attribute__((noinline)) again(int n, void *p) { volatile int keep = n; int r = deep(n, again, p); return r + (keep - n); }

static void *recurser(void *arg)
{
    unsigned wrong = 0;
    do wrong += again(3000, 0) != 3000; while (running);
    return (void *)wrong;
}

/* system calls that sleep: emptying the cache is no signal of the guest's, so nothing is interrupted */
static void *sleeper(void *arg)
{
    int p[2]; pipe(p);
    struct pollfd f = { p[0], POLLIN };
    sem_t never; sem_init(&never, 0, 0);
    while (running) {
        struct timespec t = { 0, 3000000 }, abs;
        if (nanosleep(&t, 0)) eintr++;
        if (poll(&f, 1, 3) < 0) eintr++;
        clock_gettime(CLOCK_REALTIME, &abs);
        abs.tv_nsec += 2000000; if (abs.tv_nsec >= 1000000000) abs.tv_sec++, abs.tv_nsec -= 1000000000;
        if (sem_timedwait(&never, &abs) && errno == EINTR) eintr++;
    }
    return 0;
}

static void on_alarm(int signal, siginfo_t *info, void *context) { handled++; again(20, 0); }

static void *alarmed(void *arg)
{
    sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, 0);
    unsigned x = 1, n = 0;
    while (running || n < 1000) {
        for (int i = 0; i < 20000; i++) x = x * 69069 + 1;
        pthread_kill(pthread_self(), SIGUSR1);
        n++;
    }
    return (void *)(handled != (int)n);
}

static int sharer(void *arg)
{
    /* a process of its own in the same memory */
    unsigned wrong = 0;
    do wrong += again(500, 0) != 500; while (running);
    _exit(wrong != 0);
}

int main(void)
{
    struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
    sigaction(SIGUSR1, &sa, 0);
    sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, 0);
    pthread_t g[GENERATORS], other[4];
    static char stack[256 << 10] __attribute__((aligned(16)));
    int pid = clone(sharer, stack + sizeof stack, CLONE_VM | SIGCHLD, 0);
    void *(*kinds[4])(void *) = { looper, recurser, sleeper, alarmed };
    const char *names[4] = { "loops", "recursion", "sleeps", "signals" };
    for (int i = 0; i < 4; i++) pthread_create(&other[i], 0, kinds[i], 0);
    for (int i = 0; i < GENERATORS; i++) pthread_create(&g[i], 0, generator, (void *)i);
    for (int i = 0; i < GENERATORS; i++) {
        void *wrong; pthread_join(g[i], &wrong);
        say("generator %d: %u wrong, sum %08x", i, (unsigned)wrong, sums[i]);
    }
    for (int i = 0; i < 4; i++) {
        void *wrong; pthread_join(other[i], &wrong);
        say("%s: %u wrong", names[i], (unsigned)wrong);
    }
    int st; waitpid(pid, &st, 0);
    say("process in the same memory: status %d", st);
    say("interrupted sleeps: %d", eintr);
    return finish();
}
