/* System V IPC through ipc() and through the direct calls, in both generations of structures; POSIX queues */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <mqueue.h>

#define IPC(n, ...) raw(SYS_ipc, n, ##__VA_ARGS__)
static u32 words[64];

/* prints the words of a structure that do not change from run to run */
static void show(const char *what, long r, const int *which, int n)
{
    printf("%s: %ld", what, r);
    for (int i = 0; i < n; i++) printf(" %x", words[which[i]]);
    putchar('\n');
    fflush(stdout);
}

static void semaphores(void)
{
    static const int new_form[] = { 5, 13, 14, 15 }, old_form[] = { 10 };
    int id = IPC(2, IPC_PRIVATE, 3, IPC_CREAT | 0600); u32 arg; u16 v[4] = { 4, 5, 6, 0xEEEE };
    check(id >= 0, "semget %d", id);
    arg = 77; say("setval %ld", IPC(3, id, 1, 16, &arg));
    arg = 0; say("getval %ld pid %d", IPC(3, id, 1, 12, &arg), IPC(3, id, 1, 11, &arg) == getpid());
    arg = (u32)v; say("setall %ld", IPC(3, id, 0, 17 | 0x100, &arg));
    memset(v, 0xEE, sizeof v);
    say("getall %ld", IPC(3, id, 0, 13, &arg)); say("%d %d %d %x", v[0], v[1], v[2], v[3]);
    memset(words, 0xEE, sizeof words); arg = (u32)words;
    show("stat new", IPC(3, id, 0, 2 | 0x100, &arg), new_form, 4); say("behind %x", words[16]);
    check((int)words[11] > 1600000000 && words[12] == 0, "change time");
    memset(words, 0xEE, sizeof words);
    show("stat old", IPC(3, id, 0, 2, &arg), old_form, 1); say("behind %x", words[11]);
    memset(words, 0xEE, sizeof words);
    show("direct", raw(394, id, 0, 2, words), new_form, 4);
    words[5] = 0640; say("set %ld", raw(394, id, 0, 1, words));
    show("stat", raw(394, id, 0, 2, words), new_form, 1);
    say("info %d", raw(394, 0, 0, 3, words) >= 0);
    struct sembuf s = { 0, -5, IPC_NOWAIT };
    say("nowait %ld", IPC(1, id, 1, 0, &s));
    s.sem_flg = 0; struct timespec t = { 0, 2000000 };
    say("timed %ld", IPC(4, id, 1, 0, &s, &t));
    int64_t t64[2] = { 0, 2000000 | 0x7700000000ll };
    say("timed 64 %ld", raw(420, id, &s, 1, t64));
    t.tv_nsec = -1; say("bad time %ld", IPC(4, id, 1, 0, &s, &t));
    s.sem_op = -4; say("take %ld", IPC(1, id, 1, 0, &s));
    arg = 16; say("faults %ld %ld %ld %ld %ld", IPC(3, id, 0, 2, 0), IPC(3, id, 0, 2, 16), IPC(3, id, 0, 2, &arg), IPC(1, id, 1, 0, 16), raw(394, id, 0, 1, 16));
    say("unknown %ld %ld negative %ld", raw(394, id, 0, 99, 0), IPC(99), raw(394, -1, 0, 1, 16));
    say("remove %ld", IPC(3, id, 0, 0, &arg));
    say("again %ld", IPC(3, id, 0, 0, &arg));
}

static void messages(void)
{
    static const int sizes[] = { 15, 16, 5 }, old[] = { 11 };
    struct { int32_t type; char text[4100]; } m, b;
    int id = IPC(13, IPC_PRIVATE, IPC_CREAT | 0600);
    memset(m.text, 'm', sizeof m.text);
    static const unsigned lengths[] = { 0, 1, 7, 2047, 2048, 2049, 4100 };
    for (unsigned i = 0; i < 7; i++) { m.type = 100 + i; m.text[0] = 'a' + i; say("send %u: %ld", lengths[i], i & 1 ? raw(400, id, &m, lengths[i], 0) : IPC(11, id, lengths[i], 0, &m)); }
    memset(words, 0xEE, sizeof words);
    show("stat new", raw(402, id, 2, words), sizes, 3); say("behind %x", words[22]);
    memset(words, 0xEE, sizeof words);
    show("stat old", IPC(14, id, 2, 0, words), old, 1); say("limit %u", words[12] & 0xffff);
    for (int i = 6; i >= 0; i--) {
        memset(&b, 0xEE, sizeof b);
        struct { void *p; int32_t type; } kludge = { &b, 100 + i };
        long r = i % 3 == 0 ? raw(401, id, &b, sizeof b.text, 100 + i, 0) : i % 3 == 1 ? IPC(12, id, 5000, 0, &kludge) : IPC(12 | 0x10000, id, 4100, 0, &b, 100 + i);
        say("receive %d: %ld type %d first %x behind %x", i, r, b.type, (u8)b.text[0], r < 4100 ? (u8)b.text[r] : 0);
    }
    say("none %ld", raw(401, id, &b, 10, 0, IPC_NOWAIT));
    say("send %ld", raw(400, id, &m, 20, 0));
    say("too big %ld", raw(401, id, &b, 10, 0, 0));
    say("cut %ld", raw(401, id, &b, 10, 0, MSG_NOERROR));
    say("faults %ld", raw(400, id, 16, 4, 0));
    say("send %ld", raw(400, id, &m, 4, 0));
    say("fault %ld", raw(401, id, 16, 4, 0, 0));
    say("lost with the fault %ld", raw(401, id, &b, 10, 0, IPC_NOWAIT));
    m.type = 0; say("type 0 %ld", raw(400, id, &m, 4, 0));
    m.type = -5; say("type -5 %ld", raw(400, id, &m, 4, 0));
    m.type = 1; say("sizes %ld %ld", raw(400, id, &m, -1, 0), raw(400, id, &m, 0x7fffffff, 0));
    say("kludge %ld %ld version %ld", IPC(12, id, 10, 0, 0), IPC(12, id, 10, 0, 16), IPC(12, id, -1, 0, 16));
    say("remove %ld", raw(402, id, 0, 0));
    say("again %ld", IPC(14, id, 0, 0, 0));
}

static void memory(void)
{
    static const int new_form[] = { 9, 18 }, old_form[] = { 4 };
    int id = IPC(23, IPC_PRIVATE, 10000, IPC_CREAT | 0600); u32 at = 0, at2 = 0;
    say("attach %ld", IPC(21, id, 0, &at, 0));
    say("attach again %d", raw(397, id, 0, 010000) > 0);
    *(u32 *)at = 0x12345678;
    memset(words, 0xEE, sizeof words);
    show("stat new", raw(396, id, 2, words), new_form, 2); say("behind %x", words[21]); check((int)words[16] == getpid(), "creator");
    memset(words, 0xEE, sizeof words);
    show("stat old", IPC(24, id, 2, 0, words), old_form, 1);
    say("page offset %x aligned %d", at & 4095, 1);
    say("detach %ld", IPC(22, 0, 0, 0, at));
    say("again %ld unaligned %ld", IPC(22, 0, 0, 0, at), raw(398, at + 1));
    say("version 1 %ld bad result %ld", IPC(21 | 0x10000, id, 0, &at2, 0), IPC(21, id, 0, 16, 0));
    say("limits %d old %d info %d", raw(396, 0, 3, words) >= 0, IPC(24, 0, 3, 0, words) >= 0, raw(396, 0, 14, words) >= 0);
    say("faults %ld %ld unknown %ld", raw(396, id, 2, 16), raw(396, id, 1, 16), raw(396, id, 99, 0));
    say("remove %ld", raw(396, id, 0, 0));
}

static void queues(void)
{
    char name[40]; unsigned p; char b[16]; struct mq_attr a = { 0, 3, 8, 0 }; struct timespec t = { 1, 0 };
    snprintf(name, sizeof name, "/guest-%d", getpid());
    mqd_t q = mq_open(name, O_CREAT | O_RDWR, 0600, &a);
    if (q < 0 && errno == ENOSYS) { say("no queues"); return; }
    say("open %d", q >= 0); memset(&a, 0xEE, sizeof a);
    say("attributes %ld", kernel_result(mq_getattr(q, &a)));
    say("%ld %ld %ld %ld", a.mq_flags, a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
    say("send %ld", kernel_result(mq_send(q, "one", 3, 1)));
    say("send %ld too long %ld", kernel_result(mq_send(q, "two", 3, 9)), kernel_result(mq_send(q, "123456789", 9, 0)));
    say("receive %ld", kernel_result(mq_receive(q, b, 8, &p))); say("%.3s %u", b, p);
    say("receive %ld", kernel_result(mq_timedreceive(q, b, 8, &p, &t))); say("%.3s %u", b, p);
    say("empty, past %ld short buffer %ld", kernel_result(mq_timedreceive(q, b, 8, &p, &t)), kernel_result(mq_receive(q, b, 7, &p)));
    int64_t t64[2] = { 1, 0x5500000000ll };
    say("64 %ld fault %ld", raw(419, q, b, 8, &p, t64), raw(419, q, b, 8, &p, 16));
    struct mq_attr n = { O_NONBLOCK };
    say("set %ld", kernel_result(mq_setattr(q, &n, &a)));
    say("old %lx then %ld", a.mq_flags, kernel_result(mq_receive(q, b, 8, &p)));
    struct sigevent e; memset(&e, 0, sizeof e); e.sigev_notify = SIGEV_NONE;
    say("notify %ld", kernel_result(mq_notify(q, &e)));
    say("twice %ld", kernel_result(mq_notify(q, &e)));
    say("off %ld fault %ld", kernel_result(mq_notify(q, 0)), raw(SYS_mq_notify, q, 16));
    mq_close(q); mq_unlink(name);
}

int main(void) { semaphores(); messages(); memory(); queues(); return finish(); }
