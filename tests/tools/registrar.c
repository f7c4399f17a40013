/* registrar - many processes that register with lodged as guests do, and sleep.
 *
 * usage: registrar SOCKET COUNT RATE
 *
 * Starts COUNT processes, RATE a second, each of which sends one registration over a connection of its own and closes it, with the deadline of
 * the shim: 4 ms where the service's queue is full. Then prints "registered N failed N seconds S late N" (late: starts behind the
 * schedule by more than 10 ms) and holds the processes until standard input ends or something is written to it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct shared { int registered, failed; } *shared;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int send_registration(const char *path, int number)
{
    unsigned char message[40 + 64] = "LODG";
    char program[64];
    int length = snprintf(program, sizeof program, "/usr/lib/registrar/%d", number);
    uint16_t version = 1, type = 1, text = length;
    uint32_t size = 40 + length, shim = 1;
    memcpy(message + 4, &version, 2);
    memcpy(message + 6, &type, 2);
    memcpy(message + 8, &size, 4);
    message[24] = 1;                       /* i386 */
    message[25] = 1;                       /* x86-64 */
    memcpy(message + 28, &shim, 4);
    memcpy(message + 32, &text, 2);
    memcpy(message + 40, program, length);

    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    if (result < 0 && errno == EAGAIN) {
        struct timeval deadline = { 0, 4000 };
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
        fcntl(fd, F_SETFL, 0);
        result = connect(fd, (struct sockaddr *)&address, sizeof address);
    }
    int ok = result == 0 && send(fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
    close(fd);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: registrar SOCKET COUNT RATE\n");
        return 2;
    }
    int count = atoi(argv[2]), late = 0;
    double rate = atof(argv[3]);
    pid_t *children = calloc(count, sizeof *children);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double start = now();
    for (int i = 0; i < count; i++) {
        double wait = start + i / rate - now();
        if (wait > 0)
            usleep(wait * 1e6);
        else if (wait < -0.01)
            late++;
        children[i] = fork();
        if (children[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            __atomic_add_fetch(send_registration(argv[1], i) ? &shared->registered : &shared->failed, 1, __ATOMIC_SEQ_CST);
            for (;;) pause();
        }
        if (children[i] < 0) {
            perror("fork");
            break;
        }
    }
    double forked = now();
    while (shared->registered + shared->failed < count && now() < forked + 30)
        usleep(1000);
    printf("registered %d failed %d seconds %.3f late %d\n", shared->registered, count - shared->registered, now() - start, late);
    fflush(stdout);
    char c;
    while (read(0, &c, 1) < 0 && errno == EINTR) ;
    for (int i = 0; i < count; i++)
        if (children[i] > 0) kill(children[i], SIGKILL);
    while (wait(NULL) > 0 || errno == EINTR) ;
    return 0;
}
