/* socket options whose layout depends on the word size, socketcall itself, stream sockets */
#include "guest.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <linux/filter.h>

#define SC(n, ...) raw(SYS_socketcall, n, (unsigned long[]){ __VA_ARGS__ })

static void timeouts(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct { int32_t s, us; } narrow = { 7, 500000 }; struct { int64_t s, us; } wide = { 9, 250000 };
    u32 got[6]; socklen_t l;
    static const int options[] = { 20, 21, 66, 67 };
    for (int i = 0; i < 4; i++) {
        int o = options[i];
        void *v = o < 60 ? (void *)&narrow : &wide;
        for (unsigned size = 0; size <= 16; size += 4) {
            say("set %d size %u: %ld", o, size, SC(14, s, SOL_SOCKET, o, (unsigned long)v, size));
            memset(got, 0xEE, sizeof got); l = size;
            long r = SC(15, s, SOL_SOCKET, o, (unsigned long)got, (unsigned long)&l);
            say("get %d size %u: %ld length %u %x %x %x %x %x", o, size, r, (unsigned)l, got[0], got[1], got[2], got[3], got[4]);
        }
        l = -1; say("bad value %ld, bad length %ld %ld", SC(14, s, SOL_SOCKET, o, 16, 16), SC(15, s, SOL_SOCKET, o, (unsigned long)got, 16),
            SC(15, s, SOL_SOCKET, o, (unsigned long)got, (unsigned long)&l));
    }
    narrow.us = 1000000; say("too many microseconds %ld", SC(14, s, SOL_SOCKET, 20, (unsigned long)&narrow, 8));
    narrow.s = -1; narrow.us = 0; say("negative %ld", SC(14, s, SOL_SOCKET, 20, (unsigned long)&narrow, 8));
    say("bad descriptor %ld", SC(14, 999, SOL_SOCKET, 20, 16, 8));
    close(s);
    int sv[2]; char c; struct timeval tv = { 0, 20000 };
    socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
    setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    say("receive times out %ld", kernel_result(recv(sv[0], &c, 1, 0)));
    close(sv[0]); close(sv[1]);
}

static void filters(void)
{
    int sv[2]; char b[16];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
    struct sock_filter keep[] = { { BPF_RET | BPF_K, 0, 0, 3 } };
    struct sock_fprog p = { 1, keep }, none = { 0, keep }, wild = { 1, (void *)16 };
    say("attach %ld", kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p)));
    send(sv[0], "abcdef", 6, 0);
    say("kept %ld", kernel_result(recv(sv[1], b, 16, 0)));
    struct sock_filter back[4]; socklen_t l = 4;
    say("get %ld", kernel_result(getsockopt(sv[1], SOL_SOCKET, SO_GET_FILTER, back, &l))); say("length %u", (unsigned)l);
    say("sizes %ld %ld %ld %ld", kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, 0)), kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, 7)),
        kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, 12)), kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, 16)));
    say("empty %ld wild %ld bad %ld", kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &none, sizeof none)),
        kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &wild, sizeof wild)), kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, (void *)16, 8)));
    say("detach %ld", kernel_result(setsockopt(sv[1], SOL_SOCKET, SO_DETACH_FILTER, &p, 4)));
    close(sv[0]); close(sv[1]);
}

static void multicast(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct group_req g; struct group_source_req gs;
    memset(&g, 0, sizeof g); memset(&gs, 0, sizeof gs);
    g.gr_interface = gs.gsr_interface = 1;
    struct sockaddr_in *a = (void *)&g.gr_group;
    a->sin_family = AF_INET; a->sin_addr.s_addr = inet_addr("239.1.2.3");
    gs.gsr_group = g.gr_group; gs.gsr_source = g.gr_group;
    ((struct sockaddr_in *)&gs.gsr_source)->sin_addr.s_addr = inet_addr("10.0.0.1");
    say("sizes %u %u", (unsigned)sizeof g, (unsigned)sizeof gs);
    say("short %ld bad %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g - 1)), kernel_result(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, (void *)16, sizeof g)));
    say("join %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g))); say("again %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_JOIN_GROUP, &g, sizeof g)));
    say("block %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_BLOCK_SOURCE, &gs, sizeof gs)));
    u8 buffer[512]; memset(buffer, 0, sizeof buffer);
    struct group_filter *f = (void *)buffer;
    f->gf_interface = 1; f->gf_group = g.gr_group; f->gf_numsrc = 2;
    socklen_t l = GROUP_FILTER_SIZE(2);
    say("filter %ld", kernel_result(getsockopt(s, IPPROTO_IP, MCAST_MSFILTER, f, &l))); say("length %u mode %u sources %u", (unsigned)l, f->gf_fmode, f->gf_numsrc);
    say("source %x", ((struct sockaddr_in *)f->gf_slist)->sin_addr.s_addr);
    f->gf_numsrc = 0; f->gf_fmode = 0;
    say("set filter %ld short %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_MSFILTER, f, GROUP_FILTER_SIZE(0))), kernel_result(setsockopt(s, IPPROTO_IP, MCAST_MSFILTER, f, GROUP_FILTER_SIZE(0) - 1)));
    say("leave %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof g))); say("again %ld", kernel_result(setsockopt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, &g, sizeof g)));
    close(s);
}

static void *client(void *arg)
{
    struct sockaddr_in *a = arg; char b[5] = { 0 };
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1; struct linger lg = { 1, 0 };
    check_errno(connect(s, (void *)a, sizeof *a) == 0, "connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, 4);
    check(send(s, "ping", 4, MSG_NOSIGNAL) == 4, "send");
    check(recv(s, b, 4, MSG_WAITALL) == 4 && !strcmp(b, "pong"), "recv");
    setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof lg);
    close(s);
    return 0;
}

static void streams(void)
{
    int l = socket(AF_INET, SOCK_STREAM, 0); struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, p;
    socklen_t n = sizeof a; char b[5] = { 0 }; pthread_t t;
    say("bind %ld", kernel_result(bind(l, (void *)&a, sizeof a))); say("listen %ld", kernel_result(listen(l, 3)));
    getsockname(l, (void *)&a, &n);
    pthread_create(&t, 0, client, &a);
    n = sizeof p;
    int s = accept4(l, (void *)&p, &n, SOCK_CLOEXEC);
    say("accepted %d length %u family %d flags %d", s >= 0, (unsigned)n, p.sin_family, fcntl(s, F_GETFD));
    say("read %ld", kernel_result(recv(s, b, 4, MSG_WAITALL))); say("%s", b);
    say("write %ld", kernel_result(send(s, "pong", 4, 0)));
    pthread_join(t, 0);
    poll(&(struct pollfd){ s, POLLIN }, 1, 20000);
    say("after reset %ld", kernel_result(recv(s, b, 4, 0)));
    struct tcp_info ti; n = sizeof ti;
    say("tcp_info %ld", kernel_result(getsockopt(s, IPPROTO_TCP, TCP_INFO, &ti, &n))); say("state %d", ti.tcpi_state);
    close(s); close(l);
}

int main(void)
{
    say("numbers %ld %ld %ld %ld", raw(SYS_socketcall, 0, 16), raw(SYS_socketcall, 21, 16), raw(SYS_socketcall, 1, 16), SC(1, 99, 1, 0));
    timeouts(); filters(); multicast(); streams();
    return finish();
}
