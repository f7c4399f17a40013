/* Memory calls in random histories: every result, the contents and the final layout must be the kernel's own. All of it happens in one window
   of fixed addresses, so that the output does not depend on where the kernel begins to place mappings. */
#include "guest.h"
#include <setjmp.h>

#define PAGE 4096u
#define PAGES 512u
static char *const window = (char *)0x20000000;
static u32 seed;
static int file = -1;

static unsigned pick(unsigned n) { return next_random(&seed) % n; }

/* a fault while looking at memory is a result, too */
static sigjmp_buf out;
static void on_fault(int sig) { siglongjmp(out, sig); }

static int touch(char *p, int write)
{
    int sig = sigsetjmp(out, 1);
    if (sig) return -sig;
    if (write) *(volatile char *)p = (char)next_random(&seed);
    return *(volatile unsigned char *)p;
}

/* the window's mappings as /proc/self/maps has them, neighbours that continue each other joined: what the kernel joins depends on its history */
static void show_maps(void)
{
    static char text[400000];
    int fd = open("/proc/self/maps", O_RDONLY), n = 0, r;
    while ((r = read(fd, text + n, sizeof text - 1 - n)) > 0) n += r;
    close(fd);
    text[n] = 0;
    unsigned long last = 0, last_offset = 0; char last_rights[8] = ""; int lines = 0, last_named = 0;
    u32 h = HASH_START;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        unsigned long start, end, offset, inode; char rights[8]; unsigned major, minor;
        if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu", &start, &end, rights, &offset, &major, &minor, &inode) != 7) { say("odd line %s", line); continue; }
        if (start < (unsigned long)window || start >= (unsigned long)window + PAGES * PAGE) continue;
        int named = inode != 0;
        if (!(last == start && !strcmp(rights, last_rights) && named == last_named && (!named || offset == last_offset))) {
            unsigned v[3] = { (unsigned)(start - (unsigned long)window), named ? offset : 0, named };
            h = hash(hash(h, v, sizeof v), rights, 4);
            lines++;
        }
        last = end; last_offset = offset + (end - start); strcpy(last_rights, rights); last_named = named;
    }
    say("maps %d %08x", lines, h);
}

static long step(void)
{
    unsigned at = pick(PAGES), length = pick(4) ? 1 + pick(8) : 1 + pick(100), prot = pick(8);
    char *p = window + at * PAGE;
    size_t bytes = length * PAGE - (pick(3) ? 0 : pick(PAGE));
    if (at + length > PAGES) length = PAGES - at, bytes = length * PAGE;
    switch (pick(16)) {
    case 0: case 1: case 2:
        return raw(SYS_mmap2, p, bytes, prot & 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    case 3:
        return raw(SYS_mmap2, p, bytes, prot & 3, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    case 4:
        return raw(SYS_mmap2, p, bytes, prot & 7, MAP_PRIVATE | MAP_FIXED, file, pick(64));
    case 5:
        return raw(SYS_mmap2, p, bytes, prot & 3, MAP_SHARED | MAP_FIXED, file, pick(64));
    case 6:
        return raw(SYS_mmap2, p, bytes, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    case 7: case 8:
        return raw(SYS_munmap, p, bytes);
    case 9: case 10:
        return raw(SYS_mprotect, p, bytes, prot);
    case 11: {
        unsigned to = pick(PAGES), want = 1 + pick(12);
        if (to + want > PAGES) want = PAGES - to;
        return raw(SYS_mremap, p, bytes, want * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, window + to * PAGE);
    }
    case 12: {
        /* in place only: moving would leave the window */
        unsigned want = 1 + pick(12);
        if (at + want > PAGES) want = PAGES - at;
        return raw(SYS_mremap, p, bytes, want * PAGE, 0);
    }
    case 13: {
        static const int advice[] = { MADV_NORMAL, MADV_DONTNEED, MADV_WILLNEED, MADV_RANDOM, 77, MADV_DONTNEED };
        return raw(SYS_madvise, p, bytes, advice[pick(6)]);
    }
    case 14: {
        static unsigned char v[PAGES];
        long r = raw(SYS_mincore, p, bytes, v);
        long s = raw(SYS_msync, p, bytes, pick(2) ? MS_SYNC : MS_ASYNC);
        return r * 1000 + s;
    }
    default:
        return pick(2) ? raw(SYS_mlock, p, bytes) : raw(SYS_munlock, p, bytes);
    }
}

int main(int argc, char **argv)
{
    int verbose = argc > 1;
    (void)argv;
    struct sigaction sa = { .sa_handler = on_fault };
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    file = open(scratch("file"), O_CREAT | O_RDWR, 0600);
    char block[PAGE];
    for (int i = 0; i < 128; i++) { memset(block, i, PAGE); check(write(file, block, PAGE) == PAGE, "write"); }
    for (int round = 1; round <= 12; round++) {
        seed = round * 2654435761u;
        u32 results = HASH_START;
        for (int i = 0; i < 250; i++) {
            long r = step();
            results = hash(results, &r, sizeof r);
            if (verbose || round == 1) say("%3d %lx", i, r);
            for (int k = 0; k < 4; k++) {
                long seen = touch(window + pick(PAGES) * PAGE + pick(PAGE), pick(2));
                results = hash(results, &seen, sizeof seen);
                if (verbose || round == 1) printf("%ld ", seen);
            }
        }
        say("round %d: results %08x", round, results);
        show_maps();
        check(raw(SYS_munmap, window, PAGES * PAGE) == 0, "empty the window");
        show_maps();
    }
    return finish();
}
