/* clocks, sleeps, timers and futexes in both widths: values, errors, order of errors, interrupted sleeps */
#include "guest.h"
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/times.h>
#include <sys/timerfd.h>
#include <linux/futex.h>

struct t64 { int64_t s; u32 ns, pad; };
struct i64 { struct t64 i, v; };
static volatile int hits;
static void hit(int s) { (void)s; hits++; }

static void clocks(void)
{
    struct timespec a; struct t64 b; struct timeval tv; u32 tz[2] = { 0xEE, 0xEE };
    for (int c = -1; c < 13; c++) {
        memset(&b, 0xEE, sizeof b);
        long r = raw(SYS_clock_gettime, c, &a), r64 = raw(403, c, &b);
        say("clock %d: %ld %ld", c, r, r64);
        if (r == 0) check(llabs(b.s - a.tv_sec) <= 1 && b.ns < 1000000000 && b.pad == 0, "clock %d agrees", c);
        say("resolution %ld %ld null %ld", raw(SYS_clock_getres, c, &a), raw(406, c, &b), raw(SYS_clock_getres, c, 0));
        if (r == 0) say("%ld.%09ld %lld.%09u", (long)a.tv_sec, a.tv_nsec, (long long)b.s, b.ns);
    }
    say("faults %ld %ld %ld %ld", raw(SYS_clock_gettime, 0, 16), raw(403, 0, 16), raw(SYS_clock_gettime, 99, 16), raw(SYS_clock_getres, 0, 16));
    say("set %ld %ld %ld %ld", raw(SYS_clock_settime, 1, 16), raw(SYS_clock_settime, 0, 16), raw(404, 1, 16), raw(404, 99, 16));
    say("gettimeofday %ld %ld %ld %ld", raw(SYS_gettimeofday, &tv, tz), raw(SYS_gettimeofday, 0, 0), raw(SYS_gettimeofday, 16, 0), raw(SYS_gettimeofday, 0, 16));
    say("zone %x %x", tz[0], tz[1]);
    u32 word = 0; long now = raw(SYS_time, &word);
    check(now == (long)word && labs(now - tv.tv_sec) < 3 && labs(raw(SYS_time, 0) - now) < 3, "time %ld %u", now, word);
    tv.tv_usec = 1000001; say("time %ld stime %ld settimeofday %ld %ld", raw(SYS_time, 16), raw(SYS_stime, 16), raw(SYS_settimeofday, 16, 0), raw(SYS_settimeofday, &tv, 0));
    struct tms t = { 0 }; say("times %d fault %ld", raw(SYS_times, &t) != -14, raw(SYS_times, 16));
    check(t.tms_utime >= 0 && t.tms_utime < 1000, "utime");
    struct { u32 w[32]; } x; memset(&x, 0, sizeof x);
    say("adjtimex %d", raw(SYS_adjtimex, &x) >= 0); say("time %d", labs((int)x.w[9] - now) < 3);
    say("adjtimex faults %ld %ld %ld", raw(SYS_adjtimex, 16), raw(SYS_clock_adjtime, 99, 16), raw(SYS_clock_adjtime, 99, &x));
    struct timespec rr; say("quantum %ld fault %ld", raw(SYS_sched_rr_get_interval, 0, &rr), raw(SYS_sched_rr_get_interval, 0, 16));
}

static void sleeps(void)
{
    struct timespec w = { 0, 3000000 }, left = { 77, 77 }; struct t64 w64 = { 0, 3000000, 0xdeadbeef }, l64 = { 77, 77, 77 };
    say("nanosleep %ld %ld", raw(SYS_nanosleep, &w, &left), raw(407, 1, 0, &w64, &l64));
    say("untouched %ld %lld", (long)left.tv_sec, (long long)l64.s);
    static const struct timespec invalid[] = { { 0, 1000000000 }, { 0, -1 }, { -1, 0 } };
    say("errors %ld", raw(SYS_nanosleep, 16, 0));
    for (int i = 0; i < 3; i++) say("invalid %ld", raw(SYS_nanosleep, &invalid[i], 0));
    say("order %ld %ld %ld", raw(SYS_clock_nanosleep, 99, 0, 16, 0), raw(SYS_clock_nanosleep, 3, 0, 16, 0), raw(SYS_clock_nanosleep, 1, 0, 16, 0));
    w64.ns = 1000000000; say("invalid 64 %ld", raw(407, 1, 0, &w64, 0));
    struct sigaction sa; memset(&sa, 0, sizeof sa); sa.sa_handler = hit; sa.sa_flags = SA_RESTART; sigaction(SIGALRM, &sa, 0);
    struct itimerval it = { { 0, 0 }, { 0, 100000 } };
    setitimer(ITIMER_REAL, &it, 0);
    w.tv_sec = 5; w.tv_nsec = 0; left.tv_sec = 77;
    say("interrupted %ld", raw(SYS_nanosleep, &w, &left));
    say("left %ld hits %d", (long)left.tv_sec, hits);
    setitimer(ITIMER_REAL, &it, 0);
    w64 = (struct t64){ 5, 0, 0 };
    say("interrupted 64 %ld", raw(407, 1, 0, &w64, &l64));
    say("left %lld hits %d", (long long)l64.s, hits);
    setitimer(ITIMER_REAL, &it, 0);
    say("bad remainder %ld", raw(SYS_nanosleep, &w, 16));
    setitimer(ITIMER_REAL, &it, 0);
    clock_gettime(CLOCK_MONOTONIC, &w); w.tv_sec += 5; left.tv_sec = 77;
    say("absolute %ld", raw(SYS_clock_nanosleep, 1, TIMER_ABSTIME, &w, &left));
    say("untouched %ld", (long)left.tv_sec);
    w.tv_sec = 0; say("absolute past %ld", raw(SYS_clock_nanosleep, 1, TIMER_ABSTIME, &w, 0));
}

static void timers(void)
{
    int id = -1; struct i64 v = { { 5, 6, 0xff }, { 0x100000000ll, 7, 0xff } }, o; struct itimerspec n;
    struct sigevent e; memset(&e, 0, sizeof e); e.sigev_notify = SIGEV_SIGNAL; e.sigev_signo = SIGUSR1; e.sigev_value.sival_int = 0x12345678;
    say("create %ld", raw(SYS_timer_create, 1, &e, &id));
    say("faults %ld %ld bad clock %ld", raw(SYS_timer_create, 1, 16, &id), raw(SYS_timer_create, 1, &e, 16), raw(SYS_timer_create, 99, &e, &id));
    say("set %ld", raw(409, id, 0, &v, 0));
    say("get %ld", raw(408, id, &o));
    say("interval %lld.%u", (long long)o.i.s, o.i.ns); check(o.v.s > 0xfffffff0ll, "value %lld", (long long)o.v.s);
    say("get 32 %ld", raw(SYS_timer_gettime, id, &n));
    say("interval %ld.%ld", (long)n.it_interval.tv_sec, n.it_interval.tv_nsec);
    struct itimerspec z = { { 0, 0 }, { 0, 1000000 } };
    sigset_t s; sigemptyset(&s); sigaddset(&s, SIGUSR1); sigprocmask(SIG_BLOCK, &s, 0);
    say("set 32 %ld", raw(SYS_timer_settime, id, 0, &z, &n));
    say("old %d", n.it_interval.tv_sec == 5);
    siginfo_t si; struct timespec w = { 2, 0 };
    say("signal %d", sigtimedwait(&s, &si, &w));
    say("code %d value %x", si.si_code, si.si_value.sival_int);
    z.it_value.tv_nsec = 1000000000;
    say("errors %ld %ld %ld %ld", raw(SYS_timer_settime, id, 0, 0, 0), raw(SYS_timer_settime, id, 0, 16, 0), raw(SYS_timer_settime, id, 0, &z, 0), raw(SYS_timer_settime, 999, 0, &z, 0));
    say("overrun %ld", raw(SYS_timer_getoverrun, id));
    say("delete %ld", raw(SYS_timer_delete, id));
    say("again %ld", raw(SYS_timer_delete, id));
    e.sigev_notify = SIGEV_THREAD_ID; e._sigev_un._tid = syscall(SYS_gettid); e.sigev_signo = SIGUSR1;
    z.it_value.tv_nsec = 1000000;
    say("to a thread %ld", raw(SYS_timer_create, 1, &e, &id));
    say("set %ld", raw(SYS_timer_settime, id, 0, &z, 0));
    say("signal %d", sigtimedwait(&s, &si, &w));
    raw(SYS_timer_delete, id);
    int fd = timerfd_create(CLOCK_MONOTONIC, 0); u64 count;
    say("timerfd %ld", kernel_result(timerfd_settime(fd, 0, &z, 0)));
    say("read %ld", kernel_result(read(fd, &count, 8))); say("count %d", count > 0);
    say("64 %ld", raw(411, fd, 0, &v, &o)); say("get %ld", raw(410, fd, &o)); check(o.v.s > 0xfffffff0ll, "timerfd value");
    say("errors %ld %ld %ld", raw(411, fd, 0, 16, 0), raw(410, 999, &o), raw(411, 0, 0, &v, 0));
    struct itimerval it = { { 0, 0 }, { 1000, 0 } }, oi;
    say("itimer %ld", raw(SYS_setitimer, ITIMER_VIRTUAL, &it, 0)); say("get %ld", raw(SYS_getitimer, ITIMER_VIRTUAL, &oi)); check(oi.it_value.tv_sec > 990, "itimer");
    say("null stops %ld", raw(SYS_setitimer, ITIMER_VIRTUAL, 0, &oi));
    say("errors %ld %ld %ld", raw(SYS_setitimer, 9, 16, 0), raw(SYS_setitimer, 9, &it, 0), raw(SYS_getitimer, 9, 16));
    say("alarm %ld", raw(SYS_alarm, 100)); say("alarm %ld", raw(SYS_alarm, 0)); say("alarm %ld", raw(SYS_alarm, 0));
}

static u32 word = 1, word2;
static void futexes(void)
{
    struct timespec t = { 0, 1000000 }; struct t64 t64 = { 0, 1000000, 0xabcd };
#define F(...) raw(SYS_futex, __VA_ARGS__)
#define F64(...) raw(422, __VA_ARGS__)
    say("wait %ld %ld %ld", F(&word, 0, 1, &t, 0, 0), F64(&word, 128, 1, &t64, 0, 0), F(&word, 0, 2, &t, 0, 0));
    say("faults %ld %ld %ld", F(16, 0, 1, &t, 0, 0), F(&word, 0, 1, 16, 0, 0), F64(&word, 9, 1, 16, 0, -1));
    t.tv_nsec = 1000000000; say("invalid %ld", F(&word, 0, 1, &t, 0, 0));
    t.tv_nsec = 0; t.tv_sec = -1; say("negative %ld", F(&word, 0, 1, &t, 0, 0));
    say("requeue %ld %ld", F(&word, 4, 1, 5, &word2, 1), F(&word, 4, 1, 5, &word2, 2));
    say("wake op %ld", F(&word, 5, 1, 1, &word2, 3 << 12)); say("word %u", word2);
    say("wake %ld unknown %ld", F(&word, 1, 1, 0, 0, 0), F(&word, 99, 1, 0, 0, 0));
    struct { u64 val, addr; u32 flags, pad; } v = { 1, (u32)&word, 2, 0 }; struct timespec now; clock_gettime(CLOCK_MONOTONIC, &now);
    struct t64 end = { now.tv_sec, now.tv_nsec, 0xabcd };
    say("waitv %ld", raw(449, &v, 1, 0, &end, 1));
    v.val = 2; say("waitv %ld", raw(449, &v, 1, 0, &end, 1));
    word = 0; say("lock pi %ld", F(&word, 6, 0, 0, 0, 0)); say("mine %d", (word & FUTEX_TID_MASK) == (u32)syscall(SYS_gettid));
    say("unlock %ld", F(&word, 7, 0, 0, 0, 0)); say("word %u", word);
}

int main(void) { clocks(); sleeps(); timers(); futexes(); return finish(); }
