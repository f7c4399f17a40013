/* Memory calls one by one: errors in the kernel's order, placement relative to the first mapping, brk and limits, growing mappings, System V
   segments, locking, /proc/self/maps of what the program knows about itself. */
#include "guest.h"
#include <setjmp.h>
#include <sys/ipc.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/shm.h>

#define PAGE 4096
#define R(...) say("%-58s %ld", #__VA_ARGS__, raw(__VA_ARGS__))
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *const w = (char *)0x30000000;
static sigjmp_buf out;
static void on_fault(int sig, siginfo_t *i, void *u) { (void)u; siglongjmp(out, sig * 100 + i->si_code); }
static int touch(void *p) { int r = sigsetjmp(out, 1); if (r) return -r; *(volatile char *)p = 1; return 0; }
static int look(void *p) { int r = sigsetjmp(out, 1); if (r) return -r; return *(volatile unsigned char *)p; }
static int called(void *p) { int r = sigsetjmp(out, 1); if (r) return -r; return ((int (*)(void))p)(); }

/* the rights of the mapping that holds an address, and its name */
static void mapping_of(const char *what, void *p)
{
    char line[400]; FILE *f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f)) {
        unsigned long start, end; char rights[8], name[300] = "";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %299s", &start, &end, rights, name) >= 3 && start <= (unsigned long)p && (unsigned long)p < end) {
            char *leaf = strrchr(name, '/');
            say("%s: %s %s", what, rights, leaf ? "a file" : name);
            fclose(f);
            return;
        }
    }
    say("%s: nothing", what);
    fclose(f);
}

static void placement(void)
{
    char *base = mmap(0, PAGE, PROT_NONE, ANON, -1, 0);
#define AT(...) do { char *p = mmap(__VA_ARGS__); if (p == MAP_FAILED) say("%-58s %d", #__VA_ARGS__, -errno); else say("%-58s base%+ld", #__VA_ARGS__, (long)(p - base)); } while (0)
    AT(0, PAGE, PROT_READ, ANON, -1, 0); AT(0, 1, PROT_READ, ANON, -1, 0); AT(0, 5 * PAGE, PROT_READ, ANON, -1, 0); AT(0, 5 * PAGE + 1, PROT_READ, ANON, -1, 0);
    AT(0, 1 << 21, 3, ANON, -1, 0); AT(0, 1 << 24, 3, MAP_SHARED | MAP_ANONYMOUS, -1, 0); munmap(base - 3 * PAGE, 2 * PAGE); AT(0, PAGE, 3, ANON, -1, 0); AT(0, 2 * PAGE, 3, ANON, -1, 0); AT(0, PAGE, 3, ANON | MAP_32BIT, -1, 0);
    AT(base, PAGE, 3, ANON, -1, 0); AT(base + 1, PAGE, 3, ANON, -1, 0); AT(0, 64 * PAGE, 3, ANON | MAP_GROWSDOWN, -1, 0); AT(0, PAGE, 3, ANON, -1, 0); AT(0, PAGE, 3, ANON | MAP_STACK | MAP_NORESERVE, -1, 0);
    char *p = mmap((void *)0x31000123, PAGE, 3, ANON, -1, 0); say("hint %p", p); p = mmap((void *)0x31000000, 2 * PAGE, 3, ANON, -1, 0); say("hint in use: base%+ld", (long)(p - base)); p = mmap((void *)0xffffd000, 8 * PAGE, 3, ANON, -1, 0); say("hint past the end: base%+ld", (long)(p - base)); p = mmap((void *)0x100, PAGE, 3, ANON, -1, 0); say("low hint: %d", p != MAP_FAILED);
    for (unsigned mb = 4000; mb >= 1000; mb -= 500) { p = mmap(0, mb << 20, PROT_NONE, ANON | MAP_NORESERVE, -1, 0); if (p != MAP_FAILED) munmap(p, mb << 20); say("%u MB: %d", mb, p != MAP_FAILED); }
    unsigned got = 0; static char *all[4096]; while (got < 4096 && (p = mmap(0, 16 << 20, PROT_NONE, ANON | MAP_NORESERVE, -1, 0)) != MAP_FAILED) all[got++] = p;
    check(got > 200 && errno == ENOMEM, "filled %u", got); while (got) munmap(all[--got], 16 << 20);
}

static void errors(int fd)
{
    R(SYS_mmap2, 0, 0, 3, ANON, -1, 0); R(SYS_mmap2, 0, 0, 3, MAP_PRIVATE, 999, 0); R(SYS_mmap2, 0, PAGE, 3, MAP_PRIVATE, 999, 0); R(SYS_mmap2, 0, PAGE, 3, MAP_ANONYMOUS, -1, 0); R(SYS_mmap2, 0, PAGE, 3, MAP_PRIVATE | MAP_SHARED | 4, fd, 0); R(SYS_mmap2, w + 1, PAGE, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mmap2, 0, -1, 3, ANON, -1, 0); R(SYS_mmap2, 0, 0xfffff000, 3, ANON, -1, 0);
    R(SYS_mmap2, 0xffffe000, PAGE, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mmap2, 0xfffff000, PAGE, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mmap2, w, PAGE, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mmap2, w, PAGE, 3, ANON | MAP_FIXED_NOREPLACE, -1, 0); R(SYS_mmap2, w - PAGE, 2 * PAGE, 3, ANON | MAP_FIXED_NOREPLACE, -1, 0); R(SYS_mmap2, w, PAGE, 3, MAP_SHARED | MAP_GROWSDOWN | MAP_ANONYMOUS, -1, 0); R(SYS_mmap2, w, PAGE, 3, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0); R(SYS_mmap2, w, PAGE, 3, MAP_SHARED_VALIDATE | MAP_FIXED | 0x8000000, fd, 0);
    int ro = open("/proc/self/exe", O_RDONLY), wo = open(scratch("wo"), O_CREAT | O_WRONLY, 0600), dir = open("/", O_RDONLY), path = open("/proc/self/exe", O_PATH), pipes[2]; pipe(pipes); R(SYS_mmap2, 0, PAGE, PROT_WRITE, MAP_SHARED, ro, 0); R(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, wo, 0); R(SYS_mmap2, 0, PAGE, PROT_WRITE, MAP_SHARED, wo, 0); R(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, dir, 0); R(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, path, 0); R(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, pipes[0], 0); R(SYS_mmap2, w, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, ro, 0); R(SYS_mprotect, w, PAGE, PROT_READ | PROT_WRITE);
    R(SYS_munmap, w + 1, PAGE); R(SYS_munmap, w, 0); R(SYS_munmap, w, -1); R(SYS_munmap, 0xffffd000, PAGE); R(SYS_munmap, 0xffffe000, PAGE); R(SYS_munmap, w, 100); R(SYS_munmap, w, PAGE);
    R(SYS_mprotect, w, PAGE, 3); R(SYS_mprotect, w, 0, 3); R(SYS_mprotect, w + 1, PAGE, 3); R(SYS_mprotect, w, -1, 3); R(SYS_mprotect, w, PAGE, 0x40); R(SYS_mprotect, w, PAGE, PROT_GROWSDOWN | PROT_GROWSUP | 3); R(SYS_mmap2, w, 4 * PAGE, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mprotect, w, PAGE, PROT_GROWSDOWN | 3); R(SYS_mprotect, w + PAGE, 8 * PAGE, PROT_READ); say("touch %d %d", touch(w), touch(w + PAGE)); R(SYS_mprotect, w, 4 * PAGE, 3 | 8);
    R(SYS_mremap, w, PAGE, 0, 0); R(SYS_mremap, w + 1, PAGE, PAGE, 0); R(SYS_mremap, w, PAGE, PAGE, 8); R(SYS_mremap, w, PAGE, PAGE, MREMAP_FIXED, w + 64 * PAGE); R(SYS_mremap, w, PAGE, PAGE, 3, w); R(SYS_mremap, w, PAGE, PAGE, 3, w + 1); R(SYS_mremap, w, PAGE, PAGE, 3, 0xfffff000); R(SYS_mremap, w + 0x100000, PAGE, PAGE, 1); R(SYS_mremap, w, 8 * PAGE, 9 * PAGE, 1); R(SYS_mremap, w, 0, PAGE, 1); R(SYS_mremap, w, PAGE, 2 * PAGE, 0); R(SYS_mremap, w, PAGE, 2 * PAGE, 5); R(SYS_mremap, w, -1, PAGE, 0); R(SYS_mremap, w, PAGE, -1, 1); R(SYS_mremap, w, 4 * PAGE, 6 * PAGE, 0); R(SYS_mremap, w, 6 * PAGE, 2 * PAGE, 0); R(SYS_mremap, w, PAGE, PAGE, 7, w + 64 * PAGE); say("left behind %d", look(w));
    R(SYS_madvise, w, PAGE, 999); R(SYS_madvise, w + 1, PAGE, 0); R(SYS_madvise, w, 0, 999); R(SYS_madvise, w, -1, 0); R(SYS_madvise, w + 0x100000, PAGE, 0); R(SYS_madvise, 0xfffff000, PAGE, 0); R(SYS_madvise, w, PAGE, MADV_REMOVE); R(SYS_madvise, w, PAGE, MADV_FREE); R(SYS_madvise, w, 64 * PAGE, MADV_DONTNEED); unsigned char v[8]; R(SYS_mincore, w, PAGE, v); R(SYS_mincore, w, PAGE, 0); R(SYS_mincore, w + 1, PAGE, v); R(SYS_mincore, w + 0x100000, PAGE, v); R(SYS_mincore, w, 0, 0); R(SYS_mincore, w, -1, v);
    R(SYS_msync, w, PAGE, 5); R(SYS_msync, w, PAGE, 8); R(SYS_msync, w + 1, PAGE, 4); R(SYS_msync, w + 0x100000, PAGE, 4); R(SYS_msync, w + 0x100000, 0, 4); R(SYS_msync, w, PAGE, 0); R(SYS_mlock, w + 5, 1); R(SYS_mlock, w + 0x100000, 1); R(SYS_mlock2, w, PAGE, 2); R(SYS_mlock2, w, PAGE, 1); R(SYS_msync, w, PAGE, MS_INVALIDATE); R(SYS_munlock, w, PAGE); R(SYS_munlock, w + 0x100000, PAGE); R(SYS_mlockall, 0); R(SYS_mlockall, 8); R(SYS_mlockall, MCL_ONFAULT); R(SYS_munlockall);
    R(SYS_remap_file_pages, w, PAGE, 0, 0, 0); R(SYS_remap_file_pages, w, PAGE, 1, 0, 0); R(SYS_mmap2, w, 4 * PAGE, 3, MAP_SHARED | MAP_FIXED, fd, 0); R(SYS_remap_file_pages, w + PAGE, PAGE, 0, 3, 0); say("page 1 shows %d, page 2 %d", look(w + PAGE), look(w + 2 * PAGE)); R(SYS_munmap, w, 128 * PAGE);
    close(ro); close(wo); close(dir); close(path); close(pipes[0]); close(pipes[1]);
}

static void breaks(void)
{
    char *b = sbrk(0), *t = (char *)(((uintptr_t)b + PAGE - 1) & -PAGE);
#define BRK(x) say("%-30s %+ld", #x, (long)((char *)raw(SYS_brk, x) - b))
    BRK(0); BRK(b + 100); BRK(t + 3 * PAGE); say("touch %d %d", touch(t + 3 * PAGE - 1), touch(t + 3 * PAGE)); BRK(t + PAGE); say("touch %d", touch(t + PAGE)); BRK(b - 0x10000000); BRK(0xffffffff); BRK(0xf0000000);
    mmap(t + 600 * PAGE, PAGE, 3, ANON | MAP_FIXED, -1, 0); BRK(t + 599 * PAGE); BRK(t + 600 * PAGE); BRK(t + 601 * PAGE); BRK(t + PAGE); munmap(t + 600 * PAGE, PAGE);
    struct rlimit old, l; getrlimit(RLIMIT_DATA, &old); l = old; l.rlim_cur = 4 << 20; setrlimit(RLIMIT_DATA, &l); BRK(t + (64 << 20)); R(SYS_mmap2, w, 64 << 20, 3, ANON | MAP_FIXED, -1, 0); R(SYS_mmap2, w, 64 << 20, 1, ANON | MAP_FIXED, -1, 0); R(SYS_mprotect, w, 64 << 20, 3); munmap(w, 64 << 20); setrlimit(RLIMIT_DATA, &old);
    BRK(b);
    getrlimit(RLIMIT_AS, &old); l = old; l.rlim_cur = 256 << 20; setrlimit(RLIMIT_AS, &l); R(SYS_mmap2, w, 512 << 20, 0, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0); R(SYS_mmap2, w, 64 << 20, 0, ANON | MAP_FIXED, -1, 0); R(SYS_mremap, w, 64 << 20, 512 << 20, 0); R(SYS_munmap, w, 64 << 20); setrlimit(RLIMIT_AS, &old);
}

static void growing(void)
{
    char *g = mmap(w, 16 * PAGE, 3, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0); say("touch below %d %d", touch(g - 1), touch(g - 20 * PAGE)); mapping_of("grown", g - 20 * PAGE);
    mmap(g - 400 * PAGE, PAGE, 3, ANON | MAP_FIXED, -1, 0); say("above the guard %d, in it %d", touch(g - 143 * PAGE), touch(g - 144 * PAGE)); char *near = mmap(g - 160 * PAGE, PAGE, 3, ANON, -1, 0); say("hint in the guard taken: %d", near == g - 160 * PAGE); R(SYS_mprotect, g, PAGE, PROT_READ | PROT_GROWSDOWN); say("lowest page %d", touch(g - 143 * PAGE)); munmap(g - 1000 * PAGE, 1100 * PAGE); munmap(near, PAGE);
    char local, *volatile at = &local; char *here = at; say("stack %d %d", touch(here - (1 << 20)), touch(here - (7 << 20))); mapping_of("stack", here); mapping_of("deep stack", here - (7 << 20)); say("past the limit %d", touch(here - (9 << 20)) < 0);
}

static void segments(void)
{
    int id = shmget(IPC_PRIVATE, 3 * PAGE - 100, IPC_CREAT | 0600), other = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600); check_errno(id >= 0 && other >= 0, "shmget");
#define AT_(...) say("%-44s %ld", #__VA_ARGS__, kernel_result((long)shmat(__VA_ARGS__)))
    AT_(id, w, 0); AT_(id, w + PAGE, 0); AT_(id, w + PAGE + 5, 0); AT_(id, w + 16 * PAGE + 5, SHM_RND); AT_(id, 0, SHM_REMAP); AT_(other, w + PAGE, SHM_REMAP); AT_(-1, w, 0); AT_(id, w + 64 * PAGE, SHM_RDONLY); AT_(id, (void *)0xffffd000, 0);
    say("touch %d %d %d", touch(w), touch(w + 3 * PAGE), touch(w + 64 * PAGE)); w[2 * PAGE] = 77; say("both places %d %d", w[18 * PAGE], w[66 * PAGE]); mapping_of("segment", w); struct shmid_ds d; shmctl(id, IPC_STAT, &d); say("attached %d", (int)d.shm_nattch);
    say("detach %ld %ld %ld", kernel_result(shmdt(w + 1)), kernel_result(shmdt(w + 8 * PAGE)), kernel_result(shmdt(w + 16 * PAGE))); munmap(w + 65 * PAGE, PAGE); say("detach cut %ld, touch %d %d", kernel_result(shmdt(w + 64 * PAGE)), look(w + 64 * PAGE), look(w + 66 * PAGE)); say("detach %ld %ld", kernel_result(shmdt(w + PAGE)), kernel_result(shmdt(w))); shmctl(id, IPC_STAT, &d); say("attached %d, look %d", (int)d.shm_nattch, look(w + 2 * PAGE));
    shmctl(id, IPC_RMID, 0); shmctl(other, IPC_RMID, 0);
}

static void rights(int fd)
{
    static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }, code2[] = { 0xb8, 43, 0, 0, 0, 0xc3 };
    for (int prot = 0; prot < 8; prot++) {
        mmap(w, PAGE, 3, ANON | MAP_FIXED, -1, 0); memcpy(w, code, 6); mprotect(w, PAGE, prot);
        say("prot %d: look %d call %d touch %d", prot, look(w + 100), called(w), touch(w + 100)); mapping_of("page", w);
    }
    mmap(w, PAGE, 7, ANON | MAP_FIXED, -1, 0); memcpy(w, code, 6); say("call %d", called(w)); memcpy(w, code2, 6); say("call %d", called(w)); lseek(fd, 0, SEEK_SET); write(fd, code, 6); lseek(fd, 0, SEEK_SET); say("read over code %ld, call %d", (long)read(fd, w, 6), called(w)); mprotect(w, PAGE, 3); say("no longer executable %d", called(w)); mprotect(w, PAGE, 5); say("again %d", called(w)); munmap(w, PAGE); say("unmapped %d", called(w));
    /* two views of one page: what is written through one is executed through the other */
    char *x = mmap(w, PAGE, 5, MAP_SHARED | MAP_FIXED, fd, 0), *y = mmap(w + PAGE, PAGE, 3, MAP_SHARED | MAP_FIXED, fd, 0); memcpy(y, code, 6); say("view %d", called(x)); memcpy(y, code2, 6); say("view %d", called(x)); mmap(x, PAGE, 7, ANON | MAP_FIXED, -1, 0); memcpy(x, code, 6); say("replaced %d", called(x)); char *z = mremap(x, PAGE, PAGE, 3, w + 8 * PAGE); say("moved %d %d", called(z), called(x)); munmap(w, 16 * PAGE);
    mapping_of("main", (void *)&rights); mapping_of("heap", sbrk(0) - 1); int in; mapping_of("stack", &in);
}

/* a file mapped over itself, as loaders do it: what was written privately is gone, what differs from the pages that are there is not kept */
static void replaced(int fd)
{
    static const char *const kinds[] = { "read only", "written", "written without reservation", "locked", "through /proc/self/mem" };
    for (int kind = 0; kind < 5; kind++) {
        int prot = kind == 1 || kind == 2 ? 3 : 1;
        mmap(w, 8 * PAGE, prot, MAP_PRIVATE | MAP_FIXED | (kind == 2 ? MAP_NORESERVE : 0), fd, 0);
        if (kind == 1 || kind == 2) w[2 * PAGE] = 99, mprotect(w, 8 * PAGE, PROT_READ);
        if (kind == 3) mlock(w, 8 * PAGE);
        if (kind == 4) { int mem = open("/proc/self/mem", O_RDWR); char c = 99; pwrite(mem, &c, 1, (long)w + 2 * PAGE); close(mem); }
        say("%s: %d", kinds[kind], look(w + 2 * PAGE));
        R(SYS_mmap2, w + PAGE, 3 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, fd, 1); say("%d %d %d %d %d", look(w), look(w + PAGE), look(w + 2 * PAGE), look(w + 3 * PAGE), look(w + 4 * PAGE)); mapping_of("executable", w + PAGE); mapping_of("behind", w + 4 * PAGE);
        R(SYS_mmap2, w + 3 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 5); R(SYS_mmap2, w + 5 * PAGE, 2 * PAGE, 3, MAP_PRIVATE | MAP_FIXED, fd, 5); say("%d %d %d", look(w + 3 * PAGE), touch(w + 6 * PAGE), touch(w + 7 * PAGE)); mapping_of("elsewhere", w + 3 * PAGE);
        R(SYS_mmap2, w + 4 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 4); char c = 55; pwrite(fd, &c, 1, 4 * PAGE); say("shared %d", look(w + 4 * PAGE)); c = 5; pwrite(fd, &c, 1, 4 * PAGE);
        R(SYS_mprotect, w, 8 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC); say("touch %d", touch(w + 2 * PAGE)); R(SYS_mmap2, w + PAGE, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 1); say("%d", look(w + 2 * PAGE)); munmap(w, 8 * PAGE);
    }
}

int main(void)
{
    static char alternate[65536]; stack_t ss = { .ss_sp = alternate, .ss_size = sizeof alternate }; sigaltstack(&ss, 0); struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK }; sigaction(SIGSEGV, &sa, NULL); sigaction(SIGBUS, &sa, NULL);
    int fd = open(scratch("file"), O_CREAT | O_RDWR, 0600); char block[PAGE]; for (int i = 0; i < 8; i++) { memset(block, i + 1, PAGE); write(fd, block, PAGE); }
    placement(); errors(fd); breaks(); growing(); segments(); rights(fd); replaced(fd);
    return finish();
}
