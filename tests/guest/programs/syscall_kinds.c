/*
 * Every call of the table with arguments of the right kinds, good and bad ones mixed at random (fixed seed): the result, which buffers
 * were written, or how the caller died. Each call is made in a process of its own, in a directory of its own. Kinds come from
 * abi-maps (lib/syscalls_i386.h). The order in which a call finds several errors shows here.
 */
#include "guest.h"
#include <sys/time.h>

enum kind { KIND_INT, KIND_UINT, KIND_LONG, KIND_ULONG, KIND_PTR, KIND_STR, KIND_FD, KIND_LO, KIND_HI };
static const struct call { int nr; const char *name; int count; unsigned char kinds[6]; } calls[] = {
#include "syscalls_i386.h"
};

/* left out: what ends, blocks, reaches beyond the process, is never the same twice, or is refused on purpose (docs/syscall-coverage-i386.md) */
static const char left_out[] =
    " exit exit_group fork vfork clone clone3 execve execveat sigreturn rt_sigreturn pause sigsuspend rt_sigsuspend select _newselect poll"
    " acct swapon swapoff mount umount umount2 pivot_root reboot vhangup sethostname setdomainname init_module finit_module delete_module kexec_load"
    " clock_settime clock_settime64 settimeofday stime adjtimex clock_adjtime clock_adjtime64 syslog sync syncfs"
    " kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal process_mrelease setpriority ioprio_set prlimit64 migrate_pages move_pages"
    " sched_setaffinity sched_setparam sched_setscheduler sched_setattr ptrace process_vm_writev get_robust_list"
    " semctl shmctl msgctl ipc semget shmget msgget shmat shmdt keyctl add_key request_key"
    " getpid gettid getppid times time gettimeofday clock_gettime clock_gettime64 getpgid getsid setsid getpgrp brk mmap mmap2 mremap set_tid_address"
    " getrandom getcpu get_mempolicy mbind getdents personality capset bpf perf_event_open memfd_secret sysinfo ustat statfs statfs64 fstatfs fstatfs64"
    " iopl ioperm vm86 vm86old uselib rseq seccomp pkey_alloc pkey_free map_shadow_stack io_setup io_destroy io_getevents io_submit io_cancel"
    " io_pgetevents io_pgetevents_time64 io_uring_setup io_uring_enter io_uring_register sched_getaffinity ";

enum { ROUNDS = 2, BUFFER = 4096 };
static char buffers[6][BUFFER] __attribute__((aligned(BUFFER)));
static char before[6][BUFFER];
static struct { int done, result, written; } *shared;
static u32 state;

static u32 pick(u32 n) { state = state * 1664525u + 1013904223u; return (state >> 8) % n; }

static u32 value(int kind, int index, const char **text)
{
    static const u32 numbers[] = { 0, 1, 0xffffffff, 2, 0x7fffffff, 64, 0x80000000, 4096 };
    static const u32 descriptors[] = { 0xffffffff, 3, 4, 999, 5, 6, -100, 7 };
    static const char *const names[] = { "", "file", "nonexistent", "dir", "file/x", "dir/f" };
    u32 n;
    *text = 0;
    switch (kind) {
    case KIND_PTR:
        n = pick(8);
        if (n < 4) return ((const u32[]){ 0, 0x10, 0xfffff000, 0x50000000 })[n];
        memset(buffers[index], n == 4 ? 0xff : 0, BUFFER);
        *text = n == 4 ? "ones" : "zeros";
        return (u32)buffers[index];
    case KIND_STR:
        n = pick(8);
        if (n >= 6) return n == 6 ? 0 : 0x10;
        *text = names[n];
        return (u32)names[n];
    case KIND_FD:
        return descriptors[pick(8)];
    default:
        return numbers[pick(8)];
    }
}

static void descriptors(void)
{
    int ends[2];
    for (int i = 3; i < 64; i++) close(i);
    dup2(open("/dev/null", O_RDONLY), 0);
    close(3);
    open("/dev/null", O_RDWR);
    open("file", O_RDWR);
    pipe2(ends, O_NONBLOCK);
    open("dir", O_RDONLY | O_DIRECTORY);
}

static void child(const struct call *c, const u32 *a)
{
    struct itimerval limit = { { 0, 0 }, { 0, 50000 } };
    descriptors();
    memcpy(before, buffers, sizeof before);
    setitimer(ITIMER_REAL, &limit, 0);
    long r = syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    shared->result = r == -1 ? -errno : r;
    for (int i = 0; i < 6; i++) shared->written |= !!memcmp(before[i], buffers[i], BUFFER) << i;
    shared->done = 1;
    _exit(0);
}

int main(void)
{
    char folder[] = "/tmp/syscall_kinds.XXXXXX", word[64];
    shared = mmap(0, BUFFER, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!mkdtemp(folder)) return 1;
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        const struct call *c = &calls[i];
        snprintf(word, sizeof word, " %s ", c->name);
        if (strstr(left_out, word)) continue;
        for (int round = 0; round < ROUNDS; round++) {
            u32 a[6] = { 0 };
            const char *texts[6] = { 0 };
            state = c->nr * 7919 + round * 104729 + 1;
            pick(2);
            for (int k = 0; k < c->count; k++) a[k] = value(c->kinds[k], k, &texts[k]);
            chdir(folder);
            mkdir("work", 0755); chdir("work"); mkdir("dir", 0755);
            int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644); write(fd, "hello\n", 6); close(fd);
            memset(shared, 0, sizeof *shared);
            fflush(stdout);
            pid_t pid = fork();
            if (!pid) child(c, a);
            int status;
            waitpid(pid, &status, 0);
            printf("%s(", c->name);
            for (int k = 0; k < c->count; k++) texts[k] ? printf("%s%s", k ? ", " : "", texts[k]) : printf("%s%x", k ? ", " : "", a[k]);
            if (shared->done) printf(") = %d, written %x\n", shared->result, shared->written);
            else printf(") ends the caller: %x\n", status);
            static const char *const made[] = { "file", "nonexistent", "dir/f", "dir/file", "dir/nonexistent", "dir/dir" };
            for (unsigned m = 0; m < sizeof made / sizeof *made; m++) if (unlink(made[m])) rmdir(made[m]);
            check_errno(!rmdir("dir") && !chdir(folder) && !rmdir("work"), c->name);
        }
    }
    chdir("/");
    rmdir(folder);
    return guest_bad != 0;
}
