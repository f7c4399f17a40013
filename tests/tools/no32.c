/* no32 - run a program while the kernel's own 32-bit support is off limits.
 *
 * usage: no32 PROGRAM ARGS…
 *
 * Installs a seccomp filter (inherited by every descendant, irremovable) that kills the process as soon as any thread enters the
 * kernel by a 32-bit system call: `int 0x80`, `sysenter`, or a program that runs in the CPU's 32-bit mode. An i386 program that
 * reaches its first system call under this guard is therefore emulated, or dead by SIGSYS: nothing runs natively by accident.
 *
 * Exit status: the program's own; 125 when the guard cannot be installed; 127 when PROGRAM cannot be executed.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

int main(int argc, char **argv)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_ARM, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog prog = { sizeof code / sizeof code[0], code };
    if (argc < 2) { fprintf(stderr, "usage: no32 PROGRAM ARGS...\n"); return 125; }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
        fprintf(stderr, "no32: cannot install the filter: %s\n", strerror(errno));
        return 125;
    }
    execvp(argv[1], argv + 1);
    fprintf(stderr, "no32: %s: %s\n", argv[1], strerror(errno));
    return 127;
}
