/* Small print of system calls: results of useless but legal arguments, and which error comes first. */
#include "guest.h"
#include <dirent.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>

#define show(call) do { long r_ = (call); say("%-58s %s", #call, r_ >= 0 ? r_ == 0 ? "0" : "positive" : strerrorname_np(-r_)); } while (0)
#define exact(call) say("%-58s %ld", #call, (long)(call))

int main(int argc, char **argv)
{
    if (argc > 1) return 0;
    char *dir = scratch("dir"); mkdir(dir, 0700); char *name = malloc(strlen(dir) + 10); sprintf(name, "%s/file", dir); close(open(name, O_CREAT | O_RDWR, 0600));
    static char buf[4096]; char *bad = (char *)8;
    int d = open(dir, O_RDONLY | O_DIRECTORY), f = open(name, O_RDWR);
    say("directories");
    show(raw(SYS_getdents, d, buf, -1)); show(raw(SYS_getdents64, d, buf, -1)); show(raw(SYS_getdents, d, buf, 0x80000000)); show(raw(SYS_getdents64, d, buf, 0x80000000)); show(raw(SYS_getdents, d, buf, 0)); show(raw(SYS_getdents, d, buf, 10));
    show(raw(SYS_getdents64, d, bad, 4096)); show(raw(SYS_getdents, d, bad, 4096)); show(raw(SYS_getdents, f, buf, -1)); show(raw(SYS_getdents64, -1, buf, -1)); show(raw(SYS_getdents, d, buf, 4096)); show(raw(SYS_getdents, d, buf, -1)); show(raw(SYS_getdents64, d, buf, -1)); show(raw(SYS_getdents64, d, bad, 4096));
    close(d); d = open(dir, O_RDONLY | O_DIRECTORY); show(raw(SYS_read, d, bad, 10));
    say("read at the end");
    show(raw(SYS_read, f, bad, 10)); show(raw(SYS_read, f, 0xffffe000, 0x1000)); show(raw(SYS_read, f, 0xfffff000, 0xfffff000)); show(raw(SYS_read, f, bad, -1)); show(raw(SYS_pread64, f, bad, 10, 0, 0)); show(raw(SYS_write, f, bad, 0)); show(raw(SYS_write, f, bad, 10));
    show(raw(SYS_read, f, 0, 0)); show(raw(SYS_read, f, -1, -1)); show(raw(SYS_read, f, -4096, 4096));
    say("huge pages");
    static const u32 sizes[] = { 0, 12, 16, 20, 21, 22, 25, 30, 31, 34, 63 };
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        long r = raw(SYS_mmap2, 0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | sizes[i] << 26, -1, 0);
        say("  2^%u: %s", sizes[i], (u32)r > -4096u ? strerrorname_np(-r) : "mapped");
        if ((u32)r <= -4096u) munmap((void *)r, 2 << 20);
    }
    show(raw(SYS_mmap2, 0, 4096, 3, MAP_PRIVATE | MAP_HUGETLB, f, 0)); show(raw(SYS_mmap2, 0, 0, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0)); show(raw(SYS_mmap2, 0, -1, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0)); show(raw(SYS_mmap2, 4096, 4096, 3, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
    say("memory policies");
    static u32 mask[64] = { 1 };
    show(raw(SYS_set_mempolicy, -1, bad, 32)); show(raw(SYS_set_mempolicy, 0, bad, 32)); show(raw(SYS_set_mempolicy, 0, mask, 32)); show(raw(SYS_set_mempolicy, 2, bad, 0)); show(raw(SYS_set_mempolicy, 2, mask, 1 << 30)); show(raw(SYS_set_mempolicy, 0, 0, 0)); show(raw(SYS_set_mempolicy, 8, bad, 1 << 20)); show(raw(SYS_set_mempolicy, 0x8000, bad, 10));
    show(raw(SYS_get_mempolicy, bad, 0, 0, 0, 0)); show(raw(SYS_get_mempolicy, 0, bad, 64, 0, 0)); show(raw(SYS_get_mempolicy, 0, bad, 2048, 0, 0)); show(raw(SYS_get_mempolicy, 0, mask, 2048, 0, 0)); show(raw(SYS_get_mempolicy, 0, mask, 1, 0, 0)); show(raw(SYS_get_mempolicy, bad, bad, 2048, bad, 99)); show(raw(SYS_get_mempolicy, bad, bad, 2048, bad, 2)); show(raw(SYS_get_mempolicy, bad, bad, 2048, 0, 0));
    say("moving pages");
    void *pages[2] = { buf, bad }; int status[2] = { 77, 77 };
    show(raw(SYS_move_pages, 0, 1, bad, 0, status, 99)); show(raw(SYS_move_pages, -1, 1, bad, 0, status, 0)); show(raw(SYS_move_pages, 0, 1, bad, 0, status, 2)); show(raw(SYS_move_pages, 0, 1, pages, 0, bad, 2)); show(raw(SYS_move_pages, 0, 2, pages, 0, status, 2)); say("  %d %d", status[0], status[1]); show(raw(SYS_move_pages, 0, 1, pages, bad, status, 2)); show(raw(SYS_move_pages, 0, -1, bad, bad, bad, 0)); show(raw(SYS_move_pages, 0, 0, bad, bad, bad, 0));
    show(raw(SYS_migrate_pages, 0, 32, bad, bad)); show(raw(SYS_migrate_pages, -1, 32, bad, bad)); show(raw(SYS_migrate_pages, -1, 32, mask, mask));
    say("signals to descriptors");
    int pfd = raw(434, getpid(), 0);
    show(raw(424, pfd, 0, bad, 0)); show(raw(424, pfd, 0, bad, 99)); show(raw(424, -1, 0, bad, 0)); show(raw(424, f, 0, bad, 0)); show(raw(424, pfd, 99, 0, 0)); show(raw(424, pfd, 0, 0, 0));
    show(raw(SYS_rt_sigqueueinfo, -1, 99, bad)); show(raw(SYS_rt_sigqueueinfo, getpid(), 99, bad)); show(raw(SYS_rt_tgsigqueueinfo, -1, -1, 99, bad));
    say("protection keys");
    show(raw(SYS_pkey_mprotect, buf, 4096, 3, 99)); show(raw(SYS_pkey_mprotect, bad, 4096, 3, -1)); show(raw(SYS_pkey_mprotect, bad, 0, 3, 5)); show(raw(SYS_pkey_mprotect, 0, 4096, 0x100, 0));
    say("robust lists");
    u32 head = 1, length = 1; show(raw(SYS_get_robust_list, 0, &head, &length)); say("  %d %u", head > 1, length); show(raw(SYS_get_robust_list, 0, bad, &length)); show(raw(SYS_get_robust_list, 0x7ffffff0, &head, &length)); show(raw(SYS_get_robust_list, -1, bad, bad)); show(raw(SYS_get_robust_list, getpid(), &head, &length)); show(raw(SYS_set_robust_list, bad, 11)); 
    say("running programs and their files");
    char copy[300]; sprintf(copy, "%s/copy", dir);
    { int in = open("/proc/self/exe", O_RDONLY), out = open(copy, O_CREAT | O_WRONLY, 0700), n; while ((n = read(in, buf, sizeof buf)) > 0) write(out, buf, n); close(in);
      pid_t c = fork(); if (!c) { execl(copy, copy, "x", (char *)0); _exit(errno == ETXTBSY ? 26 : 99); } int st; waitpid(c, &st, 0); say("  execve of a file open for writing: %d", WEXITSTATUS(st)); close(out);
      c = fork(); if (!c) { execl(copy, copy, "x", (char *)0); _exit(errno); } waitpid(c, &st, 0); say("  execve of it closed: %d", WEXITSTATUS(st)); }
    unlink(copy); unlink(name); rmdir(dir);
    return finish();
}
