/* Every system call number with several sets of useless arguments: the result, or how the caller dies. Each call is made in a process of its own. */
#include "guest.h"
#include <sys/prctl.h>
#include <sys/time.h>

/* those whose useless use ends, blocks or changes more than the calling process, or whose result is not the same twice */
static const short left_out[] = { 1 /* exit */, 2 /* fork */, 29 /* pause */, 36 /* sync */, 37 /* kill */, 88 /* reboot */, 119 /* sigreturn */, 120 /* clone */,
    72 /* sigsuspend */, 173 /* rt_sigreturn */, 179 /* rt_sigsuspend */, 190 /* vfork */, 252 /* exit_group */, 435 /* clone3 */, 111 /* vhangup */,
    13 /* time */, 20 /* getpid */, 43 /* times */, 45 /* brk */, 64 /* getppid */, 65 /* getpgrp */, 66 /* setsid */, 132 /* getpgid */, 147 /* getsid */, 224 /* gettid */, 258 /* set_tid_address */,
    90, 91, 192 /* mmap, munmap, mmap2 */, 125 /* mprotect */, 25 /* stime */, 79 /* settimeofday */, 264 /* clock_settime */, 404, 124 /* adjtimex */, 266, 243, 244 /* thread areas */,
    101, 110 /* ioperm, iopl: depends on the kernel's configuration */, 166 /* vm86 */, 113, 123 /* modify_ldt */, 115, 87 /* swap */, 128, 129, 350 /* modules */, 283 /* kexec */,
    270, 238 /* tgkill, tkill */, 355 /* getrandom */, 318 /* getcpu */, 163 /* mremap */, 219 /* madvise */, 257 /* remap_file_pages */, 218, 150, 151, 152, 153, 376 /* locking */,
    354 /* seccomp */, 357 /* bpf */, 323, 328, 319, 290 /* event fds and friends give descriptors */, 425, 426, 427 /* io_uring */, 434, 438 /* pidfd */, 447, 356 /* memfd */, 332, 291,
    321, 322, 327, 254, 329, 42, 331, 359, 360, 41, 63, 330 /* new descriptors */, 298, 336 /* perf */, 310, 61, 217, 21, 22, 52, 149, 51, 26, 162, 240, 422, 449, 407, 267, 416, 384, 192,
    393, 394, 395, 396, 397, 398, 399, 400, 401, 402, 117 /* System V objects last */, 444, 445, 446 /* landlock */, 374 /* userfaultfd */, 349, 38, 343, 108, 28, 141, 220, 98, 386, 381, 382, 453 /* refused: rseq, protection keys, shadow stacks */, 103 /* syslog: sets the console's level */ };
/* those that sleep until a signal comes when nothing is asked for: select and poll of nothing, without a time limit */
static const short sleepers[] = { 142, 308, 309, 413, 414 };
/* those that take as long as the disk takes */
static const short disk[] = { 118 /* fsync */, 148 /* fdatasync */, 314 /* sync_file_range */, 344 /* syncfs */ };
static int in(const short *list, unsigned count, int nr)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i] == nr) return 1;
    return 0;
}
#define IN(list, nr) in(list, sizeof list / sizeof *list, nr)
static const struct { const char *name; u32 a[6]; } sets[] = {
    { "all -1", { -1, -1, -1, -1, -1, -1 } }, { "bad fd, low pointers", { -1, 8, 8, 8, 8, 8 } }, { "zero", { 0, 0, 0, 0, 0, 0 } },
    { "low pointers", { 8, 8, 8, 8, 8, 8 } }, { "fd 0, kernel pointers", { 0, 0xffffe000, 0xffffe000, 0xffffe000, 0xffffe000, 0xffffe000 } },
    { "fd 1, unmapped, 16", { 1, 0x10000, 16, 0x10000, 16, 16 } },
};

int main(void)
{
    /* descriptors 0 to 2 of the callers: a file of our own, since fchmod(0, …) is among the calls */
    int own = open(scratch("own"), O_CREAT | O_RDWR, 0600);
    for (unsigned s = 0; s < sizeof sets / sizeof *sets; s++) {
        say("== %s", sets[s].name);
        for (int nr = 0; nr < 463; nr++) {
            if (IN(left_out, nr)) continue;
            int result[2]; pipe(result);
            fflush(stdout);
            pid_t c = fork();
            if (!c) {
                struct itimerval v = { { 0, 0 }, { 60, 0 } };
                if (IN(sleepers, nr)) { v.it_value.tv_sec = 0; v.it_value.tv_usec = 50000; }
                if (IN(disk, nr)) v.it_value.tv_sec = 0;
                dup2(result[1], 100); close(result[0]); close(result[1]); dup2(own, 0); dup2(own, 1); dup2(own, 2); close(own);
                setitimer(ITIMER_REAL, &v, 0);
                const u32 *a = sets[s].a; u32 nrs = nr; long r;
                r = syscall(nrs, a[0], a[1], a[2], a[3], a[4], a[5]);
                if (r == -1) r = -errno;
                write(100, &r, 4); _exit(0);
            }
            close(result[1]);
            long r; int st, got = read(result[0], &r, 4); close(result[0]); waitpid(c, &st, 0);
            if (got != 4) say("%3d died: %s %d", nr, WIFSIGNALED(st) ? "signal" : "status", WIFSIGNALED(st) ? WTERMSIG(st) : WEXITSTATUS(st));
            else if (r < 0 || nr < 20) say("%3d %ld %s", nr, r, r < 0 && r > -4096 ? strerrorname_np(-r) ? strerrorname_np(-r) : "?" : "");
            else say("%3d %s", nr, r == 0 ? "0" : "positive");
        }
    }
    return finish();
}
