/* Waiting for descriptors: poll, select in all forms, epoll, eventfd, inotify, pipes and their limits, asynchronous notification. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#define R(x) say("%-50s %ld", #x, (long)kernel_result(x))
#define RS(...) say("%-50s %ld", #__VA_ARGS__, raw(__VA_ARGS__))
static volatile int got, got_fd; static void io(int s, siginfo_t *i, void *c) { got++; got_fd = i->si_fd; } static void al(int s) { got++; }

int main(void)
{
    int p[2], q[2], fd; char b[70000]; pipe(p); pipe2(q, O_NONBLOCK); struct pollfd f[3] = { { p[0], POLLIN }, { p[1], POLLOUT }, { 99, POLLIN } }; R(poll(f, 3, 0)); say("%x %x %x", f[0].revents, f[1].revents, f[2].revents); f[0].fd = -5; R(poll(f, 1, 0)); RS(SYS_poll, 8, 1, 0); RS(SYS_poll, f, 0x7fffffff, 0); write(p[1], "x", 1); f[0].fd = p[0]; R(poll(f, 2, -1)); close(p[1]); read(p[0], b, 1); f[0].events = POLLIN; R(poll(f, 1, 1000)); say("%x", f[0].revents); pipe(p);
    fd_set r, w; FD_ZERO(&r); FD_ZERO(&w); FD_SET(p[0], &r); FD_SET(p[1], &w); struct timeval tv = { 0, 0 }; R(select(30, &r, &w, 0, &tv)); say("%d %d", FD_ISSET(p[0], &r), FD_ISSET(p[1], &w)); FD_SET(50, &r); R(select(51, &r, 0, 0, &tv)); R(select(-1, 0, 0, 0, &tv)); u32 old[5] = { 10, 0, 0, 0, (u32)&tv }; RS(SYS_select, old); RS(SYS_select, 8); RS(SYS__newselect, 10, 8, 0, 0, &tv); struct { const sigset_t *s; u32 n; } six = { &(sigset_t){ { 0 } }, 8 }; RS(SYS_pselect6, 5, 0, 0, 0, &(struct timespec){ 0, 1000 }, &six); six.n = 5; RS(SYS_pselect6, 5, 0, 0, 0, &(struct timespec){ 0, 1000 }, &six);
    /* masks during the wait */
    signal(SIGALRM, al); sigset_t blocked, none; sigemptyset(&none); sigemptyset(&blocked); sigaddset(&blocked, SIGALRM); sigprocmask(SIG_BLOCK, &blocked, 0); struct itimerval iv = { { 0, 0 }, { 0, 3000 } }; setitimer(ITIMER_REAL, &iv, 0); usleep(10000); say("blocked %d", got); R(ppoll(0, 0, &(struct timespec){ 1, 0 }, &none)); say("after %d", got); setitimer(ITIMER_REAL, &iv, 0); R(pselect(0, 0, 0, 0, &(struct timespec){ 1, 0 }, &none)); R(ppoll(0, 0, &(struct timespec){ 0, 1000 }, &none));
    int ep = epoll_create1(EPOLL_CLOEXEC), e2 = epoll_create(5); R(epoll_create(0)); R(epoll_create1(77)); struct epoll_event ev = { EPOLLIN, { .u64 = 0x123456789abcdef0ULL } }, out[8]; R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev)); R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev)); R(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev)); R(epoll_ctl(ep, EPOLL_CTL_DEL, 99, &ev)); R(epoll_ctl(ep, 9, p[0], &ev)); RS(SYS_epoll_ctl, ep, EPOLL_CTL_MOD, p[0], 8); fd = open(scratch("f"), O_CREAT | O_RDWR, 0600); R(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev)); R(epoll_wait(ep, out, 8, 0)); write(p[1], "yz", 2); R(epoll_wait(ep, out, 8, 100)); say("%x %llx size %d", out[0].events, (unsigned long long)out[0].data.u64, (int)sizeof ev); R(epoll_wait(ep, out, 0, 0)); RS(SYS_epoll_wait, ep, 8, 8, 0); ev.events = EPOLLIN | EPOLLET | EPOLLONESHOT; ev.data.fd = p[0]; R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev)); R(epoll_wait(ep, out, 8, 0)); R(epoll_wait(ep, out, 8, 0)); setitimer(ITIMER_REAL, &iv, 0); R(epoll_pwait(ep, out, 8, 1000, &none)); RS(SYS_epoll_pwait, ep, out, 8, 0, &none, 4); RS(441, ep, out, 8, &(long long[2]){ 0, 1000 }, 0, 8); R(epoll_ctl(e2, EPOLL_CTL_ADD, ep, &ev)); for (int i = 0; i < 5; i++) { int z[2]; pipe(z); ev = (struct epoll_event){ EPOLLOUT, { .u32 = i } }; epoll_ctl(ep, EPOLL_CTL_ADD, z[1], &ev); } say("many %d", epoll_wait(ep, out, 3, 0));
    int efd = eventfd(3, EFD_NONBLOCK); u64 n; R(read(efd, &n, 8)); say("%llu", (unsigned long long)n); R(read(efd, &n, 8)); n = 0xfffffffffffffffeULL; R(write(efd, &n, 8)); n = 1; R(write(efd, &n, 8)); n = ~0ULL; R(write(efd, &n, 8)); R(read(efd, &n, 7)); efd = eventfd(2, EFD_SEMAPHORE); read(efd, &n, 8); say("%llu", (unsigned long long)n);
    int in = inotify_init1(IN_NONBLOCK); char *dir = scratch("watched"); mkdir(dir, 0700); R(inotify_add_watch(in, dir, IN_CREATE | IN_DELETE | IN_MODIFY)); chdir(dir); close(open("a-file", O_CREAT | O_WRONLY, 0600)); unlink("a-file"); int k = read(in, b, 4096); for (int i = 0; i < k;) { struct inotify_event *e = (void *)(b + i); say("event %x %s len %u", e->mask, e->name, e->len); i += sizeof *e + e->len; } R(read(in, b, 4096)); R(inotify_rm_watch(in, 99)); R(inotify_add_watch(in, "/nonexistent", 1)); R(read(in, b, 5));
    /* pipes */
    memset(b, 'x', sizeof b); R(write(q[1], b, 70000)); R(write(q[1], b, 1)); int avail; R(ioctl(q[0], FIONREAD, &avail)); say("%d", avail); R(read(q[0], b, 70000)); R(read(q[0], b, 1)); close(q[1]); R(read(q[0], b, 1)); R(fcntl(p[0], F_SETPIPE_SZ, 100)); R(fcntl(p[0], F_SETPIPE_SZ, 1 << 30)); mkfifo("fifo", 0600); R(open("fifo", O_WRONLY | O_NONBLOCK)); fd = open("fifo", O_RDONLY | O_NONBLOCK); int fw = open("fifo", O_WRONLY); R(write(fw, "fifo", 4)); R(read(fd, b, 10)); int pk[2]; R(pipe2(pk, O_DIRECT)); write(pk[1], "one", 3); write(pk[1], "two", 3); R(read(pk[0], b, 100));
    /* notification by signal */
    struct sigaction sa = { .sa_sigaction = io, .sa_flags = SA_SIGINFO }; sigaction(SIGRTMIN + 1, &sa, 0); sigaction(SIGIO, &sa, 0); int sp[2]; socketpair(AF_UNIX, SOCK_STREAM, 0, sp); got = 0; R(fcntl(sp[0], F_SETOWN, getpid())); R(fcntl(sp[0], F_GETOWN) == getpid()); R(fcntl(sp[0], F_SETSIG, SIGRTMIN + 1)); R(fcntl(sp[0], F_GETSIG)); R(fcntl(sp[0], F_SETFL, O_ASYNC)); write(sp[1], "s", 1); for (int i = 0; i < 200 && !got; i++) usleep(1000); say("signal %d fd %d", got > 0, got_fd == sp[0]); struct { int t, p; } ex = { 1, getpid() }; RS(SYS_fcntl64, sp[0], F_SETOWN_EX, &ex); RS(SYS_fcntl64, sp[0], F_GETOWN_EX, &ex); R(fcntl(fd, F_SETLEASE, 99)); R(fcntl(fd, F_NOTIFY, 0) ? 1 : 0);
    return finish();
}
