/* Which descriptors there are, asked in the ways in which programs ask: nothing but what it opened. */
#include "guest.h"
#include <sys/resource.h>
#include <sys/ioctl.h>

static int by_getfd(int fd) { return fcntl(fd, F_GETFD) >= 0; }
static int by_fstat(int fd) { struct stat st; return fstat(fd, &st) == 0; }
static int by_empty_path(int fd) { struct stat64 st; return raw(SYS_fstatat64, fd, "", &st, AT_EMPTY_PATH) == 0; }
static int by_statx(int fd) { char buffer[256]; return raw(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, buffer) == 0; }
static int by_dup(int fd) { int copy = dup(fd); if (copy >= 0) close(copy); return copy >= 0; }
static int by_dup2(int fd) { return dup2(fd, fd) == fd; }
static int by_ioctl(int fd) { int n; return ioctl(fd, FIONREAD, &n) == 0 || errno != EBADF; }
static int by_name(int fd) { char name[40], target[200]; sprintf(name, "/proc/self/fd/%d", fd); return readlink(name, target, sizeof target) >= 0; }

static const struct { const char *name; int (*there)(int); } ways[] = {
    { "F_GETFD", by_getfd }, { "fstat", by_fstat }, { "fstatat of nothing", by_empty_path }, { "statx of nothing", by_statx }, { "dup", by_dup }, { "dup2 onto itself", by_dup2 },
    { "ioctl", by_ioctl }, { "/proc/self/fd", by_name },
};

static void look(const char *when, int limit)
{
    for (unsigned w = 0; w < sizeof ways / sizeof *ways; w++) {
        printf("%s, %s:", when, ways[w].name);
        for (int fd = 3; fd < limit; fd++) if (ways[w].there(fd)) printf(" %d", fd);
        printf("\n");
    }
}

int main(void)
{
    int a = open("/dev/zero", O_RDWR), b = open("/", O_RDONLY | O_DIRECTORY), c = dup2(a, 60);
    say("%d %d %d", a, b, c);
    look("at first", 1200);
    struct rlimit lower; getrlimit(RLIMIT_NOFILE, &lower); lower.rlim_cur = 64;
    check(setrlimit(RLIMIT_NOFILE, &lower) == 0, "a lower limit");
    look("limit 64", 1200);
    pid_t child = fork();
    if (!child) { look("child", 1200); fflush(stdout); _exit(0); }
    waitpid(child, 0, 0);
    struct stat st;
    say("an absolute name from a bad descriptor %d", fstatat(1100, "/", &st, 0));
    return finish();
}
