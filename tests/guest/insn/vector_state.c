/* SSE and AVX registers, MXCSR and MMX over everything that leaves translated code: system calls, signals, faults, first executions, thread switches. */
#include "insn.h"
#include <cpuid.h>
#include <sys/time.h>

static u8 pattern[8][32] __attribute__((aligned(32))), seen[8][32] __attribute__((aligned(32))); static int avx; static volatile u32 signals; static volatile int stop;
static void fill(u32 s) { for (int i = 0; i < 8; i++) for (int k = 0; k < 32; k++) pattern[i][k] = next_random(&s); }
#define LOAD_AVX "vmovdqa pattern_+0, %%ymm0\n vmovdqa pattern_+32, %%ymm1\n vmovdqa pattern_+64, %%ymm2\n vmovdqa pattern_+96, %%ymm3\n vmovdqa pattern_+128, %%ymm4\n vmovdqa pattern_+160, %%ymm5\n vmovdqa pattern_+192, %%ymm6\n vmovdqa pattern_+224, %%ymm7\n"
#define STORE_AVX "vmovdqa %%ymm0, seen_+0\n vmovdqa %%ymm1, seen_+32\n vmovdqa %%ymm2, seen_+64\n vmovdqa %%ymm3, seen_+96\n vmovdqa %%ymm4, seen_+128\n vmovdqa %%ymm5, seen_+160\n vmovdqa %%ymm6, seen_+192\n vmovdqa %%ymm7, seen_+224\n"
#define LOAD_SSE "movdqa pattern_+0, %%xmm0\n movdqa pattern_+32, %%xmm1\n movdqa pattern_+64, %%xmm2\n movdqa pattern_+96, %%xmm3\n movdqa pattern_+128, %%xmm4\n movdqa pattern_+160, %%xmm5\n movdqa pattern_+192, %%xmm6\n movdqa pattern_+224, %%xmm7\n"
#define STORE_SSE "movdqa %%xmm0, seen_+0\n movdqa %%xmm1, seen_+32\n movdqa %%xmm2, seen_+64\n movdqa %%xmm3, seen_+96\n movdqa %%xmm4, seen_+128\n movdqa %%xmm5, seen_+160\n movdqa %%xmm6, seen_+192\n movdqa %%xmm7, seen_+224\n"
extern u8 pattern_[], seen_[];
__asm__(".data\n.p2align 5\n.globl pattern_\n pattern_: .space 256\n seen_: .space 256\n .globl seen_\n .text\n");
#define OVER(what, inner, ...) do { fill(__LINE__ * 77 + 1); memcpy(pattern_, pattern, 256); memset(seen_, 0, 256); \
        if (avx) __asm__ volatile("pushl %%ebx\n" LOAD_AVX inner STORE_AVX "vzeroupper\n popl %%ebx" ::__VA_ARGS__ : "eax", "ecx", "edx", "esi", "edi", "memory"); \
        else __asm__ volatile("pushl %%ebx\n" LOAD_SSE inner STORE_SSE "popl %%ebx" ::__VA_ARGS__ : "eax", "ecx", "edx", "esi", "edi", "memory"); \
        int w = avx ? 32 : 16, bad = 0; for (int i = 0; i < 8; i++) bad += !!memcmp(pattern_ + i * 32, seen_ + i * 32, w); say("%s: %d registers changed", what, bad); } while (0)

static void trash(int s) { signals++; if (avx) __asm__ volatile("vpcmpeqd %%ymm0, %%ymm0, %%ymm0\n vpcmpeqd %%ymm3, %%ymm3, %%ymm3\n vmovdqa %%ymm0, %%ymm7\n vzeroupper" ::: "memory"); else __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm7, %%xmm7" ::: "memory"); double d = s; __asm__ volatile("fldl %0\n fstp %%st(0)" :: "m"(d)); u32 mx = 0x1f80 | 0x6000; __asm__ volatile("ldmxcsr %0" :: "m"(mx)); }
static void *spin(void *x) { double a = 1; while (!stop) { a = a * 1.0000001 + 0.5; if (a > 1e6) a = 1; } return 0; }
static int fix(int sig, siginfo_t *i, ucontext_t *uc) { (void)i; trash(sig); uc->uc_mcontext.gregs[REG_EIP] += 2; return 1; }
__asm__(".text\n v_fresh: movl $100, %ecx\n 1: call 2f\n decl %ecx\n jnz 1b\n ret\n .p2align 12\n 2: jmp 3f\n .p2align 12\n 3: movl $4f, %edx\n jmp *%edx\n .p2align 12\n 4: ret\n .p2align 4\n");

int main(void)
{
    insn_start();
    u32 a, b, c, d; __cpuid(1, a, b, c, d); avx = c >> 28 & 1; remark("avx %d", avx);
    signal(SIGUSR1, trash); signal(SIGALRM, trash);
    OVER("nothing", "", "i"(0)); OVER("getpid", "movl $20, %%eax\n int $0x80\n", "i"(0)); OVER("vsyscall", "movl $20, %%eax\n call *%%gs:0x10\n", "i"(0)); OVER("first execution of blocks and indirect jumps", "call v_fresh\n", "i"(0));
    OVER("signal to self", "movl $20, %%eax\n int $0x80\n movl %%eax, %%ebx\n movl $37, %%eax\n movl $10, %%ecx\n int $0x80\n", "i"(0)); say("signals %u", signals);
    fault_hook = fix; OVER("invalid instruction mended", "ud2\n", "i"(0)); OVER("fault mended", "xorl %%eax, %%eax\n .byte 0x8b, 0x00\n nop\n", "i"(0)); fault_hook = 0; say("signals %u", signals);
    OVER("mmap, write, munmap", "movl $192, %%eax\n xorl %%ebx, %%ebx\n movl $65536, %%ecx\n movl $3, %%edx\n movl $0x22, %%esi\n movl $-1, %%edi\n int $0x80\n movl %%eax, %%ebx\n movl $1, 4096(%%ebx)\n movl $91, %%eax\n int $0x80\n", "i"(0));
    OVER("sleep", "pushl $1000000\n pushl $0\n movl $162, %%eax\n movl %%esp, %%ebx\n xorl %%ecx, %%ecx\n int $0x80\n addl $8, %%esp\n", "i"(0)); OVER("cpuid", "xorl %%eax, %%eax\n xorl %%ecx, %%ecx\n cpuid\n", "i"(0)); OVER("x87 work", "fld1\n fldpi\n faddp\n fstp %%st(0)\n", "i"(0)); OVER("fork", "movl $2, %%eax\n int $0x80\n testl %%eax, %%eax\n jnz 1f\n movl $1, %%eax\n xorl %%ebx, %%ebx\n int $0x80\n 1:\n", "i"(0));
    pthread_t t; pthread_create(&t, 0, spin, 0); struct itimerval v = { { 0, 150 }, { 0, 150 } }; setitimer(ITIMER_REAL, &v, 0); u32 before = signals; OVER("a loop under signals and another thread", "movl $60000000, %%ecx\n 1: decl %%ecx\n jnz 1b\n", "i"(0)); v = (struct itimerval){ { 0, 0 }, { 0, 0 } }; setitimer(ITIMER_REAL, &v, 0); say("interrupted %d", signals > before); stop = 1; pthread_join(t, 0);
    u32 mx = 0x3f80, after; __asm__ volatile("ldmxcsr %1\n pushl %%ebx\n movl $20, %%eax\n int $0x80\n movl %%eax, %%ebx\n movl $37, %%eax\n movl $10, %%ecx\n int $0x80\n popl %%ebx\n stmxcsr %0" : "=m"(after) : "m"(mx) : "eax", "ecx", "edx"); say("mxcsr %x", after); mx = 0x1f80; __asm__ volatile("ldmxcsr %0" :: "m"(mx));
    u64 mm = 0x1122334455667788ULL, back; __asm__ volatile("movq %1, %%mm5\n pushl %%ebx\n movl $20, %%eax\n int $0x80\n movl %%eax, %%ebx\n movl $37, %%eax\n movl $10, %%ecx\n int $0x80\n popl %%ebx\n movq %%mm5, %0\n emms" : "=m"(back) : "m"(mm) : "eax", "ecx", "edx"); say("mm5 %llx", (unsigned long long)back);
    return finish();
}
