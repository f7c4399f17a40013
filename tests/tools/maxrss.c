/* maxrss - run a program and write its peak resident set to a file.
 *
 * usage: maxrss FILE PROGRAM ARGS…
 *
 * FILE receives one number: the peak resident set (VmHWM) in KiB at the moment PROGRAM's first process exits. It is read from /proc at
 * the exit stop of ptrace: getrusage would count the pages this program itself had before the exec.
 * Exit status: the program's, or 128 + signal.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
    int status;
    if (argc < 3) { fprintf(stderr, "usage: maxrss FILE PROGRAM ARGS...\n"); return 125; }
    FILE *f = fopen(argv[1], "w");
    if (!f) { fprintf(stderr, "maxrss: %s: %s\n", argv[1], strerror(errno)); return 125; }
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0)) _exit(126);
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return 125;
    if (WIFSTOPPED(status)) {
        ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
        ptrace(PTRACE_CONT, pid, 0, 0);
        while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
            int event = status >> 16, sig = WSTOPSIG(status);
            if (event == PTRACE_EVENT_EXIT) fprintf(f, "%ld\n", high_water(pid));
            /* a later exec (a shim that starts itself again) stops with SIGTRAP, which is ours and not the program's */
            ptrace(PTRACE_CONT, pid, 0, event || sig == SIGTRAP ? 0 : sig);
        }
    }
    fclose(f);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
