/* guest.h - what the guest test programs share: output that compares, checks, a running hash. */
#ifndef GUEST_H
#define GUEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>

typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;

/* a line that is compared with native execution */
#define say(...) (printf(__VA_ARGS__), putchar('\n'), fflush(stdout))
/* a remark, not compared */
#define remark(...) (printf("# " __VA_ARGS__), putchar('\n'), fflush(stdout))

static int guest_bad;
/* a fact that must hold wherever the program runs */
#define check(cond, ...) \
    ((cond) ? 1 : (guest_bad++, printf("# bad line %d: ", __LINE__), printf(__VA_ARGS__), printf("\n"), fflush(stdout), 0))
/* the same with errno shown */
#define check_errno(cond, what) check(cond, "%s (errno %d %s)", what, errno, strerror(errno))

/* the result of a system call as the kernel gave it: value or -errno */
static inline long kernel_result(long r) { return r == -1 ? -errno : r; }
#define raw(...) kernel_result(syscall(__VA_ARGS__))

/* FNV-1a, for results that are too many to print */
static inline u32 hash(u32 h, const void *data, unsigned size)
{
    const u8 *p = data;
    while (size--) h = (h ^ *p++) * 16777619u;
    return h;
}
#define HASH_START 2166136261u

/* a deterministic generator */
static inline u32 next_random(u32 *s) { *s ^= *s << 13; *s ^= *s >> 17; *s ^= *s << 5; return *s; }

static inline int finish(void) { say("%s", guest_bad ? "FAILED" : "done"); return guest_bad != 0; }

/* waits until a process is in a state as /proc/PID/stat tells it, such as S or T */
static inline void await_state(pid_t pid, char state)
{
    char name[40], text[400], *end;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    for (int tries = 0; tries < 30000; tries++, usleep(1000)) {
        int fd = open(name, O_RDONLY | O_CLOEXEC), n = read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = 0;
        if ((end = strrchr(text, ')')) && end[1] && end[2] == state) return;
    }
}

/* a scratch file name in $PROBE_DIR */
static inline char *scratch(const char *leaf)
{
    static char names[8][300]; static int i;
    char *n = names[i++ & 7];
    snprintf(n, 300, "%s/%s", getenv("PROBE_DIR") ? getenv("PROBE_DIR") : ".", leaf);
    return n;
}
#endif
