/* Prints what the configuration can change, one fact a line. usage: facts FACT... */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cpuid.h>

extern char **environ;
static sigjmp_buf out;

static void on_signal(int signal)
{
    siglongjmp(out, signal);
}

/* 0, or the signal that the code raised. */
static int caught(void (*code)(void))
{
    int signal = sigsetjmp(out, 1);
    if (signal == 0) {
        code();
    }
    return signal;
}

static void run_sse2(void) { __asm__ volatile("paddq %xmm0, %xmm0"); }
static void run_cmov(void) { __asm__ volatile("cmovz %%eax, %%eax" ::: "eax"); }
static void run_popcnt(void) { __asm__ volatile("popcnt %%eax, %%eax" ::: "eax"); }
static void run_avx(void) { __asm__ volatile("vaddps %ymm0, %ymm0, %ymm0"); }
static void run_xgetbv(void) { __asm__ volatile("xgetbv" :: "c"(0) : "eax", "edx"); }
static void run_tzcnt(void) { __asm__ volatile("tzcnt %%eax, %%eax" ::: "eax"); }

/* As the kernel passed it: the C library keeps its own words for AT_HWCAP. */
static unsigned long auxiliary(unsigned long type)
{
    char **end = environ;
    while (*end) {
        end++;
    }
    unsigned long *entry = (unsigned long *)(end + 1);
    while (entry[0] && entry[0] != type) {
        entry += 2;
    }
    return entry[1];
}

static void cpu(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0, e = 0, f = 0;
    __get_cpuid(1, &a, &b, &c, &d);
    __get_cpuid_count(7, 0, &a, &e, &f, &a);
    printf("cpuid cmov=%d sse2=%d ssse3=%d sse4_2=%d popcnt=%d xsave=%d osxsave=%d avx=%d avx2=%d\n", d >> 15 & 1, d >> 26 & 1, c >> 9 & 1,
           c >> 20 & 1, c >> 23 & 1, c >> 26 & 1, c >> 27 & 1, c >> 28 & 1, e >> 5 & 1);
    printf("hwcap sse2=%d\n", (int)(auxiliary(AT_HWCAP) >> 26 & 1));
    if (c >> 27 & 1) {
        unsigned low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        printf("xcr0 %u\n", low);
        __cpuid_count(0xd, 0, a, b, c, d);
        printf("xsave area %u of %u\n", b, c);
    }
    printf("minsigstksz %lu\n", auxiliary(51));
    printf("signals cmov=%d sse2=%d popcnt=%d avx=%d xgetbv=%d tzcnt=%d\n", caught(run_cmov), caught(run_sse2), caught(run_popcnt), caught(run_avx),
           caught(run_xgetbv), caught(run_tzcnt));
    FILE *info = fopen("/proc/cpuinfo", "r");
    static char line[65536];
    int sse2 = 0, avx = 0;
    while (info && fgets(line, sizeof line, info)) {
        if (!strncmp(line, "flags", 5)) {
            line[strcspn(line, "\n")] = ' ';
            sse2 = strstr(line, " sse2 ") != 0;
            avx = strstr(line, " avx ") != 0;
            break;
        }
    }
    printf("cpuinfo sse2=%d avx=%d\n", sse2, avx);
}

static void memory(void)
{
    int local;
    void *low = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    printf("stack %s 3 GiB\n", (uintptr_t)&local < 0xc0000000u ? "below" : "above");
    printf("mapping %s 2 GiB\n", (uintptr_t)low < 0x80000000u ? "below" : "above");
    char line[512];
    int zero = 0, executable = 0;
    void *writable = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3) {
            zero |= from == 0;
            executable |= from <= (uintptr_t)writable && (uintptr_t)writable < to && mode[2] == 'x';
        }
    }
    printf("page zero %s\n", zero ? "mapped" : "free");
    printf("readable memory %s\n", executable ? "executable" : "not executable");
    printf("personality %08x\n", personality(0xffffffff));
}

static void addresses(void)
{
    int local;
    printf("%p %p %p\n", (void *)&local, sbrk(0), mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void request(const char *text)
{
    unsigned number = strtoul(text, 0, 16);
    char buffer[4096] = { 0 };
    int result = syscall(SYS_ioctl, 0, number, buffer);
    printf("ioctl %08x: %s\n", number, result < 0 ? strerror(errno) : "done");
}

static void code(void)
{
    /* mov eax, imm32; ret. A child changes it through memory that it shares. */
    static const unsigned char bytes[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
    unsigned char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memcpy(page, bytes, sizeof bytes);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    int before = ((int (*)(void))page)();
    pid_t child = fork();
    if (child == 0) {
        mprotect(page, 4096, PROT_READ | PROT_WRITE);
        page[1] = 2;
        _exit(0);
    }
    waitpid(child, 0, 0);
    printf("code %d %d\n", before, ((int (*)(void))page)());
}

static void inode(const char *path)
{
    struct stat64 full;
    unsigned short *old = calloc(1, 256);
    long result = syscall(106 /* stat with 32-bit fields */, path, old);
    printf("stat %s", result < 0 ? strerror(errno) : "done");
    result = stat64(path, &full);
    printf(", inode %s 32 bits\n", result == 0 && full.st_ino >> 32 ? "over" : "within");
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
    sigaction(SIGILL, &action, 0);
    setvbuf(stdout, 0, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const char *what = argv[i];
        if (!strcmp(what, "environment")) {
            for (char **e = environ; *e; e++) {
                puts(*e);
            }
        } else if (!strcmp(what, "cpu")) {
            cpu();
        } else if (!strcmp(what, "memory")) {
            memory();
        } else if (!strcmp(what, "addresses")) {
            addresses();
        } else if (!strcmp(what, "uname")) {
            struct utsname name;
            uname(&name);
            printf("%s %s\n", name.machine, name.release);
        } else if (!strcmp(what, "cpus")) {
            cpu_set_t set;
            sched_getaffinity(0, sizeof set, &set);
            printf("%d\n", CPU_COUNT(&set));
        } else if (!strcmp(what, "sysinfo")) {
            struct sysinfo info;
            sysinfo(&info);
            printf("%s\n", (uint64_t)info.totalram * info.mem_unit <= 0x7fffffff ? "small" : "large");
        } else if (!strcmp(what, "root")) {
            char here[4096];
            printf("%s %s\n", access("/inside", F_OK) == 0 ? "inside" : "outside", getcwd(here, sizeof here) ? here : strerror(errno));
        } else if (!strcmp(what, "code")) {
            code();
        } else if (!strcmp(what, "ioctl")) {
            request(argv[++i]);
        } else if (!strcmp(what, "inode")) {
            inode(argv[++i]);
        } else if (!strcmp(what, "wait")) {
            getchar();
        } else if (!strcmp(what, "secure")) {
            printf("secure %lu\n", auxiliary(AT_SECURE));
        } else if (!strcmp(what, "exec")) {
            execv(argv[i + 1], argv + i + 1);
            perror("exec");
            return 1;
        }
    }
    return 0;
}
