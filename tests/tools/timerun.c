/* timerun - run a program several times and write what each run took.
 *
 * usage: timerun [-n RUNS] [-w SECONDS] [-r ROOT] [-m] -o FILE PROGRAM ARGS…
 *
 *   -n RUNS     default 1
 *   -w SECONDS  one run may last this long (default 300); then the whole process group is killed
 *   -r ROOT     chroot into ROOT (and chdir to /) before the exec
 *   -m          also read the peak resident set (VmHWM) of the program's first process when it exits; costs time: do not use both figures
 *
 * FILE receives one line a run: "<wall microseconds> <user+system microseconds> <peak resident KiB or -1> <status>", where status is the
 * exit status, 128 + signal, or 1000 for a run that lasted too long. The program's standard input is /dev/null; its output is this program's.
 * Started by vfork and exec, so that a run costs as little as it can. The peak is read at the exit stop of ptrace: getrusage would
 * count the pages that this program had before the exec.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;
static void on_alarm(int sig) { (void)sig; late = 1; if (child > 0) kill(-child, SIGKILL); }

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long high_water(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    fclose(f);
    return kib;
}

/* Wait for the traced child; a later exec (a shim that starts itself again) stops with SIGTRAP, which is ours and not the program's. */
static long wait_traced(pid_t pid, int *status, struct rusage *u)
{
    long kib = -1;
    if (wait4(pid, status, 0, u) != pid || !WIFSTOPPED(*status)) return kib;
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, pid, 0, 0);
    while (wait4(pid, status, 0, u) == pid && WIFSTOPPED(*status)) {
        int event = *status >> 16, sig = WSTOPSIG(*status);
        if (event == PTRACE_EVENT_EXIT) kib = high_water(pid);
        ptrace(PTRACE_CONT, pid, 0, event || sig == SIGTRAP ? 0 : sig);
    }
    return kib;
}

int main(int argc, char **argv)
{
    static int runs = 1, seconds = 300, memory;      /* static: the child of vfork runs in this frame */
    int opt;
    static const char *root, *out;
    while ((opt = getopt(argc, argv, "+n:w:r:o:m")) != -1)
        switch (opt) {
        case 'n': runs = atoi(optarg); break;
        case 'w': seconds = atoi(optarg); break;
        case 'r': root = optarg; break;
        case 'o': out = optarg; break;
        case 'm': memory = 1; break;
        default: return 125;
        }
    if (!out || optind >= argc) { fprintf(stderr, "usage: timerun [-n RUNS] [-w SECONDS] [-r ROOT] [-m] -o FILE PROGRAM ARGS...\n"); return 125; }
    FILE *f = fopen(out, "w");
    if (!f) { fprintf(stderr, "timerun: %s: %s\n", out, strerror(errno)); return 125; }
    fcntl(fileno(f), F_SETFD, FD_CLOEXEC);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    signal(SIGALRM, on_alarm);
    for (int i = 0; i < runs; i++) {
        struct rusage u = { 0 };
        int status = 0;
        late = 0;
        alarm(seconds);
        long long start = now_us();
        child = vfork();
        if (child == 0) {
            setpgid(0, 0);
            dup2(null, 0);
            if (root && (chroot(root) || chdir("/"))) _exit(126);
            if (memory) ptrace(PTRACE_TRACEME, 0, 0, 0);
            execvp(argv[optind], argv + optind);
            _exit(127);
        }
        if (child < 0) return 125;
        long kib = -1;
        if (memory) kib = wait_traced(child, &status, &u);
        else while (wait4(child, &status, 0, &u) < 0 && errno == EINTR) { }
        long long wall = now_us() - start;
        alarm(0);
        kill(-child, SIGKILL);                  /* what it left behind */
        long long cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
        fprintf(f, "%lld %lld %ld %d\n", wall, cpu, kib, late ? 1000 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
        fflush(f);
    }
    fclose(f);
    return 0;
}
