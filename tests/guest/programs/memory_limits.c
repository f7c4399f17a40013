/* Limits on address space and data, as set or as inherited (run-suite --under "prlimit --as=… --data=…"): what fits, what does not, who inherits. */
#include "guest.h"
#include <sys/resource.h>

static void show(const char *what, int resource)
{
    struct rlimit64 r;
    prlimit64(0, resource, 0, &r);
    say("%s: soft %lld hard %lld", what, (long long)r.rlim_cur, (long long)r.rlim_max);
}

static u32 least(void)
{
    struct rlimit64 a, d;
    prlimit64(0, RLIMIT_AS, 0, &a); prlimit64(0, RLIMIT_DATA, 0, &d);
    u64 l = a.rlim_cur < d.rlim_cur ? a.rlim_cur : d.rlim_cur;
    return l > 1u << 30 ? 1u << 30 : l;
}

static const char *map(u32 size, int prot, int flags)
{
    void *p = mmap(0, size, prot, flags | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return strerrorname_np(errno);
    if (prot & PROT_WRITE) memset(p, 1, size < 65536 ? size : 65536), ((char *)p)[size - 1] = 1;
    munmap(p, size);
    return "ok";
}

static void *thread(void *arg) { volatile char room[30000]; room[0] = 1; return (void *)((u32)arg * 3 + room[0]); }

static int __attribute__((noinline)) deep(int n) { volatile char pad[1000]; pad[n % 1000] = n; return n ? deep(n - 1) + (pad[n % 1000] == (char)n) : 0; }

static int indirect(int (**f)(int), int n) { int r = 0; for (int i = 0; i < n; i++) r += f[i & 3](i); return r; }
static int f0(int i) { return i; } static int f1(int i) { return i * 3; } static int f2(int i) { return i ^ 7; } static int f3(int i) { return -i; }

int main(int argc, char **argv)
{
    show("AS", RLIMIT_AS); show("DATA", RLIMIT_DATA);
    u32 l = least();
    say("a quarter: %s", map(l / 4 & ~4095, PROT_READ | PROT_WRITE, MAP_PRIVATE));
    say("beyond: %s", map((l & ~4095) + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE));
    say("a megabyte, again and again: ");
    for (int i = 0; i < 200; i++) if (strcmp(map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE), "ok")) say("failed at %d", i);
    /* over what is mapped already: nothing is lost when it fails */
    char *p = mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p[5] = 5;
    void *q = mmap(p, (l & ~4095) + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    say("fixed, too large: %s", q == MAP_FAILED ? strerrorname_np(errno) : "?");
    p[6] = p[5];
    q = mremap(p, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
    say("mremap: %s, %d", q == MAP_FAILED ? strerrorname_np(errno) : "ok", ((char *)q)[6]);
    q = mremap(q, 2 << 20, (l & ~4095) + 4096, MREMAP_MAYMOVE);
    say("mremap too large: %s", q == MAP_FAILED ? strerrorname_np(errno) : "ok");
    /* the heap */
    char *b = sbrk(0);
    say("brk: %d", (int)(sbrk(l / 8) == b)); memset(b, 1, l / 8);
    say("brk too far: %d %s", sbrk(l) == (void *)-1, strerrorname_np(errno));
    sbrk(-(int)(l / 8));
    /* the stack, threads, a child */
    say("stack: %d", deep(200));
    pthread_attr_t a; pthread_attr_init(&a); pthread_attr_setstacksize(&a, 65536);
    pthread_t t[4]; u32 sum = 0;
    for (u32 i = 0; i < 4; i++) pthread_create(&t[i], &a, thread, (void *)i);
    for (u32 i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); sum += (u32)r; }
    say("threads: %u", sum);
    int (*f[4])(int) = { f0, f1, f2, f3 };
    say("indirect calls: %d", indirect(f, 1000001));
    pid_t c = fork();
    if (!c) { say("child: %s, %d", map(l / 4 & ~4095, PROT_READ | PROT_WRITE, MAP_PRIVATE), indirect(f, 1001)); _exit(3); }
    int st; waitpid(c, &st, 0); say("status %x", st);
    if (argc < 2) {
        /* a soft limit of one's own, inherited over execve */
        struct rlimit64 r; prlimit64(0, RLIMIT_AS, 0, &r);
        r.rlim_cur = 48 << 20; if (r.rlim_cur > r.rlim_max) r.rlim_cur = r.rlim_max;
        say("set %d", prlimit64(0, RLIMIT_AS, &r, 0));
        say("beyond: %s", map(48 << 20, PROT_READ, MAP_PRIVATE));
        c = fork();
        if (!c) { execl(argv[0], "memory_limits", "again", (char *)0); _exit(9); }
        waitpid(c, &st, 0); say("after exec: status %x", st);
        /* a hard limit, which whoever is not privileged cannot raise again */
        struct rlimit64 was; prlimit64(0, RLIMIT_DATA, 0, &was);
        r.rlim_max = 40 << 20; if (r.rlim_max > was.rlim_max) r.rlim_max = was.rlim_max;
        r.rlim_cur = r.rlim_max / 2; say("set hard %d", prlimit64(0, RLIMIT_DATA, &r, 0)); show("DATA", RLIMIT_DATA);
        c = fork();
        if (!c) { execl(argv[0], "memory_limits", "again", (char *)0); _exit(9); }
        waitpid(c, &st, 0); say("after exec: status %x", st);
        c = fork();
        if (!c) { execl("/nonexistent", "x", (char *)0); show("DATA", RLIMIT_DATA); say("%s", map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE)); _exit(0); }
        waitpid(c, &st, 0);
    }
    return finish();
}
