/* sendmsg and recvmsg as a 32-bit program makes them: control messages, truncation, errors and their order, vectors */
#include "guest.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/uio.h>
#include <netinet/in.h>
#include <arpa/inet.h>

static void pair(int type, int sv[2]) { check_errno(socketpair(AF_UNIX, type, 0, sv) == 0, "socketpair"); }

static struct msghdr message(struct iovec *iov, int n, void *control, unsigned length)
{
    struct msghdr m;
    memset(&m, 0, sizeof m);
    m.msg_iov = iov; m.msg_iovlen = n; m.msg_control = control; m.msg_controllen = length;
    return m;
}

/* sends N descriptors of /dev/null with the text "x" */
static void send_descriptors(int s, int n)
{
    union { struct cmsghdr h; char b[CMSG_SPACE(sizeof(int) * 8)]; } c;
    char x = 'x';
    struct iovec iov = { &x, 1 };
    memset(&c, 0, sizeof c);
    c.h.cmsg_len = CMSG_LEN(sizeof(int) * n); c.h.cmsg_level = SOL_SOCKET; c.h.cmsg_type = SCM_RIGHTS;
    int fd = open("/dev/null", O_RDONLY);
    for (int i = 0; i < n; i++) memcpy(CMSG_DATA(&c.h) + 4 * i, &fd, 4);
    struct msghdr m = message(&iov, 1, &c, CMSG_SPACE(sizeof(int) * n));
    say("send %d descriptors: %ld", n, kernel_result(sendmsg(s, &m, 0)));
    close(fd);
}

static int open_count(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* every room from nothing to more than enough; the byte behind the room must stay */
static void truncation(void)
{
    int sv[2];
    pair(SOCK_DGRAM, sv);
    int before = open_count();
    for (unsigned room = 0; room <= 36; room += room < 28 ? 1 : 8) {
        u8 buffer[64];
        memset(buffer, 0xA5, sizeof buffer);
        send_descriptors(sv[0], 3);
        char x[2];
        struct iovec iov = { x, 2 };
        struct msghdr m = message(&iov, 1, buffer, room);
        long r = kernel_result(recvmsg(sv[1], &m, MSG_CMSG_CLOEXEC));
        int got = m.msg_controllen >= 12 ? (int)((((struct cmsghdr *)buffer)->cmsg_len - 12) / 4) : 0;
        say("room %u: %ld flags %x used %u descriptors %d open %d guard %s", room, r, m.msg_flags & ~MSG_CMSG_CLOEXEC, (unsigned)m.msg_controllen, got,
            open_count() - before, buffer[room] == 0xA5 ? "kept" : "BROKEN");
        for (int i = 0; i < got; i++) {
            int fd;
            memcpy(&fd, buffer + 12 + 4 * i, 4);
            check(fcntl(fd, F_GETFD) == FD_CLOEXEC, "close-on-exec");
            close(fd);
        }
    }
    close(sv[0]); close(sv[1]);
}

static void credentials(void)
{
    int sv[2], one = 1;
    pair(SOCK_STREAM, sv);
    check_errno(setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0, "SO_PASSCRED");
    send_descriptors(sv[0], 1);
    u8 buffer[128];
    char x;
    struct iovec iov = { &x, 1 };
    struct msghdr m = message(&iov, 1, buffer, sizeof buffer);
    say("with credentials: %ld", kernel_result(recvmsg(sv[1], &m, 0)));
    say("used %u", (unsigned)m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        say("level %d type %d length %u", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len);
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            check(u.pid == getpid() && u.uid == getuid() && u.gid == getgid(), "credentials are mine");
        }
    }
    close(sv[0]); close(sv[1]);
}

static int udp(struct sockaddr_in *a)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t l = sizeof *a;
    memset(a, 0, sizeof *a);
    a->sin_family = AF_INET; a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_errno(bind(s, (void *)a, sizeof *a) == 0, "bind");
    getsockname(s, (void *)a, &l);
    return s;
}

/* SO_TIMESTAMP 29, TIMESTAMPNS 35, TIMESTAMPING 37, the new ones 63 to 65, and packet information */
static void timestamps(void)
{
    static const int options[] = { 29, 35, 37, 63, 64, 65 };
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        struct sockaddr_in a, from;
        int s = udp(&a), value = options[i] == 37 || options[i] == 65 ? 0x18 /* software, receive */ : 1, one = 1;
        say("option %d: %ld", options[i], kernel_result(setsockopt(s, SOL_SOCKET, options[i], &value, 4)));
        setsockopt(s, IPPROTO_IP, IP_PKTINFO, &one, 4);
        setsockopt(s, IPPROTO_IP, IP_RECVTTL, &one, 4);
        usleep(30000); /* the kernel switches stamping on in the background */
        sendto(s, "hello", 5, 0, (void *)&a, sizeof a);
        u8 buffer[256];
        char text[8];
        struct iovec iov = { text, 8 };
        struct msghdr m = message(&iov, 1, buffer, sizeof buffer);
        m.msg_name = &from; m.msg_namelen = sizeof from;
        say("received %ld", kernel_result(recvmsg(s, &m, 0)));
        say("name %d flags %x used %u", (int)m.msg_namelen, m.msg_flags, (unsigned)m.msg_controllen);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
            say("level %d type %d length %u", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len);
            if (c->cmsg_level == SOL_SOCKET) {
                int32_t seconds;
                memcpy(&seconds, CMSG_DATA(c), 4);
                check(labs(seconds - time(0)) < 10, "seconds %d", seconds);
            }
        }
        close(s);
    }
}

/* a refused datagram comes back in the error queue */
static void error_queue(void)
{
    struct sockaddr_in a, b;
    int s = udp(&a), dead = udp(&b), one = 1;
    close(dead);
    setsockopt(s, IPPROTO_IP, IP_RECVERR, &one, 4);
    check_errno(connect(s, (void *)&b, sizeof b) == 0, "connect");
    send(s, "lost", 4, 0);
    poll(&(struct pollfd){ s, 0 }, 1, 20000);
    say("then: %ld", raw(SYS_socketcall, 9, (unsigned long[]){ s, (unsigned long)"x", 1, 0 }));
    u8 buffer[256];
    char text[8];
    struct iovec iov = { text, 8 };
    struct msghdr m = message(&iov, 1, buffer, sizeof buffer);
    say("error queue: %ld", kernel_result(recvmsg(s, &m, MSG_ERRQUEUE)));
    say("flags %x used %u", m.msg_flags, (unsigned)m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        say("level %d type %d length %u errno %d", c->cmsg_level, c->cmsg_type, (unsigned)c->cmsg_len, *(int *)CMSG_DATA(c));
    close(s);
}

static void errors(void)
{
    int sv[2], file = open("/dev/null", O_RDWR);
    pair(SOCK_DGRAM, sv);
    char x = 'x';
    struct iovec iov = { &x, 1 }, negative = { &x, 0x80000000u }, wild = { (void *)16, 4 };
    struct cmsghdr small = { 11, SOL_SOCKET, SCM_RIGHTS }, large = { 13, SOL_SOCKET, SCM_RIGHTS };
    struct msghdr m = message(&iov, 1, 0, 0);
#define both(what, fd, p) (say(what ": %ld", raw(SYS_sendmsg, fd, p, 0)), say("receiving: %ld", raw(SYS_recvmsg, fd, p, MSG_DONTWAIT)))
    both("bad descriptor, bad header", 999, 16);
    both("no socket, bad header", file, 16);
    both("bad header", sv[0], 16);
    both("no socket", file, &m);
    m.msg_iovlen = 1025; both("too many buffers", sv[0], &m);
    m.msg_iov = (void *)16; both("too many bad buffers", sv[0], &m);
    m.msg_iovlen = 1; both("bad vector", sv[0], &m);
    m.msg_iov = &negative; both("negative length", sv[0], &m);
    m.msg_iov = &wild; both("bad buffer", sv[0], &m);
    m.msg_iov = &iov; m.msg_name = (void *)16; m.msg_namelen = 16; both("bad name", sv[0], &m);
    m.msg_namelen = -1; both("negative name", sv[0], &m);
    m.msg_name = 0; both("negative length of no name", sv[0], &m);
    m.msg_namelen = 0;
    m.msg_control = &small; m.msg_controllen = 12; both("control too short", sv[0], &m);
    m.msg_control = &large; both("control too long", sv[0], &m);
    m.msg_control = (void *)16; both("bad control", sv[0], &m);
    m.msg_controllen = 0x80000000u; both("enormous control", sv[0], &m);
    m.msg_controllen = 5; both("tiny control", sv[0], &m);
    m.msg_iovlen = 0; m.msg_controllen = 0; both("nothing", sv[0], &m);
    close(file); close(sv[0]); close(sv[1]);
}

static void vectors(void)
{
    int sv[2];
    pair(SOCK_DGRAM, sv);
    char text[] = "abcdef", buffers[4][4];
    struct iovec iov[4];
    struct mmsghdr v[4];
    memset(v, 0, sizeof v);
    for (int i = 0; i < 4; i++) { iov[i].iov_base = text + i; iov[i].iov_len = i + 1; v[i].msg_hdr = message(&iov[i], 1, 0, 0); v[i].msg_len = 99; }
    say("sendmmsg %ld", kernel_result(sendmmsg(sv[0], v, 3, 0)));
    say("lengths %u %u %u %u", v[0].msg_len, v[1].msg_len, v[2].msg_len, v[3].msg_len);
    v[1].msg_hdr.msg_iov = (void *)16;
    say("bad second %ld", kernel_result(sendmmsg(sv[0], v, 3, 0)));
    say("bad vector %ld", raw(SYS_sendmmsg, sv[0], 16, 1, 0));
    for (int i = 0; i < 4; i++) { iov[i].iov_base = buffers[i]; iov[i].iov_len = 2; v[i].msg_hdr = message(&iov[i], 1, 0, 0); }
    struct timespec t = { 5, 0 };
    say("recvmmsg %ld", kernel_result(recvmmsg(sv[1], v, 3, 0, &t)));
    say("lengths %u %u %u flags %x %x %x", v[0].msg_len, v[1].msg_len, v[2].msg_len, v[0].msg_hdr.msg_flags, v[1].msg_hdr.msg_flags, v[2].msg_hdr.msg_flags);
    check(t.tv_sec == 4 || t.tv_sec == 5, "time left");
    say("wait for one %ld", kernel_result(recvmmsg(sv[1], v, 4, MSG_WAITFORONE, 0)));
    say("none left %ld", kernel_result(recvmmsg(sv[1], v, 4, MSG_DONTWAIT, 0)));
    t.tv_nsec = 1000000000;
    say("bad time %ld", kernel_result(recvmmsg(sv[1], v, 4, MSG_DONTWAIT, &t)));
    close(sv[0]); close(sv[1]);
}

int main(void)
{
    truncation(); credentials(); timestamps(); error_queue(); errors(); vectors();
    return finish();
}
