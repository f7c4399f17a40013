// runner CASES RESULTS [FIRST COUNT] - runs the instruction sequences of a case file and writes the state after each.
// An ordinary static i386 program: the same file runs on the CPU in 32-bit mode and under the shim, and the results must be the same bytes.
// With FIRST and COUNT, only those cases run and the whole x87, vector and memory state is written, not only hashes of it.
// Layouts: Generation/CaseFile.cs.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

typedef uint32_t u32;
enum { CODE = 0x20000000, DATA = 0x10000000, EXIT_CELL = 0x0F000000, DATA_SIZE = 2048, IMAGE_SIZE = 640 };

struct header { u32 magic, count, case_offset, vector_offset, memory_offset, avx; };
struct test { u32 entry, regs[8], eflags, vectors, memory, unused[4]; };
struct result {
    u32 regs[8], eflags, ds, es, fs, gs, signal, code, address, eip, hash_memory, hash_x87, hash_vectors;
} result;

struct test *current;
u32 saved_esp, saved_gs, saved_fs, avx, target;
unsigned char *image;
unsigned char fx[IMAGE_SIZE] __attribute__((aligned(64)));
extern char case_exit[];
void run_case(void);

__asm__(
    ".text\n.globl run_case\nrun_case:\n"
    "pushal\n"
    "movl %esp, saved_esp\n"
    "movl image, %eax\n"
    "fxrstor (%eax)\n"
    "cmpl $0, avx\n je 1f\n"
    "vinsertf128 $1, 512(%eax), %ymm0, %ymm0\n vinsertf128 $1, 528(%eax), %ymm1, %ymm1\n"
    "vinsertf128 $1, 544(%eax), %ymm2, %ymm2\n vinsertf128 $1, 560(%eax), %ymm3, %ymm3\n"
    "vinsertf128 $1, 576(%eax), %ymm4, %ymm4\n vinsertf128 $1, 592(%eax), %ymm5, %ymm5\n"
    "vinsertf128 $1, 608(%eax), %ymm6, %ymm6\n vinsertf128 $1, 624(%eax), %ymm7, %ymm7\n"
    "1: movl current, %eax\n"
    "movl (%eax), %ebx\n movl %ebx, target\n"
    "pushl 36(%eax)\n popfl\n"
    "movl 8(%eax), %ecx\n movl 12(%eax), %edx\n movl 16(%eax), %ebx\n movl 20(%eax), %esp\n"
    "movl 24(%eax), %ebp\n movl 28(%eax), %esi\n movl 32(%eax), %edi\n movl 4(%eax), %eax\n"
    "jmp *target\n"
    // Only SS is sure to be usable here.
    ".globl case_exit\ncase_exit:\n"
    "movl %eax, %ss:result\n movl %ecx, %ss:result+4\n movl %edx, %ss:result+8\n movl %ebx, %ss:result+12\n"
    "movl %esp, %ss:result+16\n movl %ebp, %ss:result+20\n movl %esi, %ss:result+24\n movl %edi, %ss:result+28\n"
    "movl %ss:saved_esp, %esp\n"
    "pushfl\n popl %ss:result+32\n"
    "pushl $0x202\n popfl\n"
    "xorl %eax, %eax\n"
    "movw %ds, %ax\n movl %eax, %ss:result+36\n movw %es, %ax\n movl %eax, %ss:result+40\n"
    "movw %fs, %ax\n movl %eax, %ss:result+44\n movw %gs, %ax\n movl %eax, %ss:result+48\n"
    "pushl %ss\n popl %ds\n pushl %ss\n popl %es\n"
    "movl saved_fs, %eax\n movw %ax, %fs\n movl saved_gs, %eax\n movw %ax, %gs\n"
    "fxsave fx\n"
    "cmpl $0, avx\n je 2f\n"
    "vextractf128 $1, %ymm0, fx+512\n vextractf128 $1, %ymm1, fx+528\n vextractf128 $1, %ymm2, fx+544\n vextractf128 $1, %ymm3, fx+560\n"
    "vextractf128 $1, %ymm4, fx+576\n vextractf128 $1, %ymm5, fx+592\n vextractf128 $1, %ymm6, fx+608\n vextractf128 $1, %ymm7, fx+624\n"
    "vzeroupper\n"
    "2: fninit\n"
    "ldmxcsr default_mxcsr\n"
    "popal\n"
    "ret\n");
const u32 default_mxcsr = 0x1F80;

static void handler(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    if (result.signal) {
        static const char text[] = "runner: a second fault in one case\n";
        (void)!write(2, text, sizeof text - 1);
        _exit(3);
    }
    result.signal = number;
    result.code = info->si_code;
    result.address = number == SIGTRAP ? 0 : (u32)info->si_addr;
    result.eip = g[REG_EIP];
    g[REG_EIP] = (greg_t)case_exit;
    g[REG_EFL] &= ~0x100;
}

static u32 hash(const void *p, unsigned n)
{
    const u32 *w = p;
    u32 h = 2166136261u;
    for (n /= 4; n--;) h = (h ^ *w++) * 16777619u;
    return h;
}

static void die(const char *what) { perror(what); exit(2); }

static void write_all(int fd, const void *p, size_t n)
{
    for (const char *c = p; n;) {
        ssize_t w = write(fd, c, n);
        if (w <= 0) die("write");
        c += w;
        n -= w;
    }
}

// The kernel's stack is taken away: sign-extended 16-bit values reach it, and what lies there (vectors, strings, frames) is not the same in
// both runs. Cases run on a stack of the runner's own.
static int run_all(int argc, char **argv);
static int arguments;
static char *copies[6];
__attribute__((used)) static void on_own_stack(void)
{
    u32 start = 0, end = 0;
    char line[256];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]")) sscanf(line, "%x-%x", &start, &end);
    if (maps) fclose(maps);
    if (!start) die("no stack in /proc/self/maps");
    if (munmap((void *)start, end - start)) die("munmap");
    int status = run_all(arguments, copies);
    fflush(0);
    _exit(status);
}

int main(int argc, char **argv)
{
    arguments = argc < 6 ? argc : 5;
    for (int i = 0; i < arguments; i++) copies[i] = strdup(argv[i]);
    char *own = mmap((void *)0x30000000, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (own == MAP_FAILED) die("mmap");
    __asm__ volatile("movl %0, %%esp\n call on_own_stack\n hlt" : : "r"(own + (1 << 20) - 64) : "memory");
    return 0;
}

static int run_all(int argc, char **argv)
{
    if (argc < 3) return 2;
    int fd = open(argv[1], O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) die(argv[1]);
    if (mmap((void *)CODE, st.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) die("mmap");
    struct header *h = (void *)CODE;
    if (h->magic != 0x4F464944) return 2;
    if (mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) die("mmap");
    void **cell = mmap((void *)EXIT_CELL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *cell = case_exit;
    mprotect(cell, 4096, PROT_READ);
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&ss, 0);
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    for (int *s = (int[]){SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS, 0}; *s; s++) sigaction(*s, &sa, 0);
    __asm__("movw %%gs, %w0\n movw %%fs, %w1" : "=r"(saved_gs), "=r"(saved_fs));
    saved_gs &= 0xFFFF;
    saved_fs &= 0xFFFF;
    avx = h->avx;
    int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0) die(argv[2]);
    struct test *tests = (void *)(CODE + h->case_offset);
    u32 first = argc > 3 ? atoi(argv[3]) : 0, last = argc > 4 ? first + atoi(argv[4]) : h->count;
    static struct result buffer[4096];
    unsigned n = 0;
    for (u32 i = first; i < last; i++) {
        current = tests + i;
        image = (unsigned char *)CODE + h->vector_offset + IMAGE_SIZE * current->vectors;
        memcpy((void *)DATA, (char *)CODE + h->memory_offset + DATA_SIZE * current->memory, DATA_SIZE);
        memset((char *)DATA + DATA_SIZE, 0, 4096 - DATA_SIZE);
        memset(&result, 0, sizeof result);
        run_case();
        // The last x87 instruction's and operand's addresses, and reserved bytes, are no part of the comparison.
        memset(fx + 6, 0, 18);
        memset(fx + 288, 0, 224);
        result.hash_memory = hash((void *)DATA, DATA_SIZE);
        result.hash_x87 = hash(fx, 160);
        result.hash_vectors = hash(fx + 160, IMAGE_SIZE - 160);
        if (argc > 4) {
            write_all(out, &result, sizeof result);
            write_all(out, fx, IMAGE_SIZE);
            write_all(out, (void *)DATA, DATA_SIZE);
            continue;
        }
        buffer[n++] = result;
        if (n == 4096 || i + 1 == last) {
            write_all(out, buffer, n * sizeof result);
            n = 0;
        }
    }
    return 0;
}
