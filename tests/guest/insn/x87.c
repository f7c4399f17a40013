/* x87: environment and state images, instruction pointers in them, exceptions as signals, rounding, precision, transcendental results, MMX aliasing. */
#include "insn.h"
#include <fenv.h>

u8 env[28] __attribute__((aligned(16))), state[108] __attribute__((aligned(16))), fx[512] __attribute__((aligned(64)));
#define E16(p, o) (*(u16 *)((u8 *)(p) + (o)))
#define E32(p, o) (*(u32 *)((u8 *)(p) + (o)))

__attribute__((noinline)) static void environment(void)
{
    /* FIP must name the guest's own instruction; a CPU that keeps it only with an exception pending gives 0, so make one pending (masked #Z raised, unmasked on save) */
    u32 at; double zero = 0; u16 cw_masked = 0x37f, cw_z = 0x37b, sw;
    __asm__ volatile("fninit\n fldl %[z]\n fld1\n 1: fdivp\n fldcw %[c]\n fnstenv env\n fnclex\n movl $1b, %[a]\n fldcw %[m]\n"
        : [a] "=r"(at) : [z] "m"(zero), [c] "m"(cw_z), [m] "m"(cw_masked) : "memory", "st");
    __asm__ volatile("fninit");
    say("fnstenv cw %04x sw %04x tag %04x", E16(env, 0), E16(env, 4), E16(env, 8));
    say("fip %s", E32(env, 12) == at ? "at the instruction" : E32(env, 12) == 0 ? "zero" : "elsewhere");
    remark("fip %x, instruction %x, cs/op %x, fdp %x, ds %x", E32(env, 12), at, E32(env, 16), E32(env, 20), E32(env, 24));
    say("cs %x ds %x", E16(env, 16), E16(env, 24));
    /* operand pointer */
    static float small = 1e-40f; static u32 data_at;
    data_at = (u32)&small; cw_z = 0x37d;                      /* #D unmasked after the fact */
    __asm__ volatile("fninit\n 1: flds %[s]\n fldcw %[c]\n fnstenv env\n fnclex\n movl $1b, %[a]\n fldcw %[m]\n fstp %%st(0)\n"
        : [a] "=r"(at) : [s] "m"(small), [c] "m"(cw_z), [m] "m"(cw_masked) : "memory");
    say("denormal load: sw %04x fip %s fdp %s", E16(env, 4), E32(env, 12) == at ? "at the instruction" : E32(env, 12) == 0 ? "zero" : "elsewhere",
        E32(env, 20) == data_at ? "at the operand" : E32(env, 20) == 0 ? "zero" : "elsewhere");
    /* the same through fnsave, fxsave */
    cw_z = 0x37b;
    __asm__ volatile("fninit\n fldl %[z]\n fld1\n fdivp\n 1: fldpi\n fldcw %[c]\n fxsave fx\n fnsave state\n movl $1b, %[a]\n"
        : [a] "=r"(at) : [z] "m"(zero), [c] "m"(cw_z) : "memory");
    say("fnsave cw %04x sw %04x tag %04x fip %s st0 %08x%08x exp %04x", E16(state, 0), E16(state, 4), E16(state, 8), E32(state, 12) == at ? "right" : "wrong", E32(state, 32), E32(state, 28), E16(state, 36));
    say("fxsave cw %04x sw %04x tag %02x fip %s", E16(fx, 0), E16(fx, 2), fx[4], E32(fx, 8) == at ? "right" : "wrong");
    /* after fnsave the unit is as after fninit */
    __asm__ volatile("fnstenv env\n fnstsw %0" : "=m"(sw) :: "memory");
    say("after fnsave cw %04x sw %04x tag %04x", E16(env, 0), sw, E16(env, 8));
    /* frstor with a masked image brings the stack back */
    E16(state, 0) = 0x37f; double a, b;
    __asm__ volatile("frstor state\n fstpl %0\n fstpl %1\n fninit" : "=m"(a), "=m"(b) :: "memory");
    say("frstor %.6f %f", a, b);
    /* 16-bit forms */
    __asm__ volatile("fninit\n fld1\n data16 fnstenv env\n fninit" ::: "memory");
    say("16-bit env cw %04x sw %04x tag %04x", E16(env, 0), E16(env, 2), E16(env, 4));
    __asm__ volatile("fninit\n fldpi\n data16 fnsave state\n" ::: "memory");
    say("16-bit save cw %04x sw %04x tag %04x st0 %08x%08x", E16(state, 0), E16(state, 2), E16(state, 4), E32(state, 18), E32(state, 14));
    __asm__ volatile("data16 frstor state\n fstpl %0\n fninit" : "=m"(a) :: "memory");
    say("16-bit frstor %.9f", a);
}

CODE(x_div0, "fninit\n pushl $0x37b\n fldcw (%esp)\n popl %eax\n fld1\n fldz\n fdivrp\n fwait\n fninit");
CODE(x_invalid, "fninit\n pushl $0x37e\n fldcw (%esp)\n popl %eax\n fldz\n fldz\n fdivp\n fwait");
CODE(x_stack_under, "fninit\n pushl $0x37e\n fldcw (%esp)\n popl %eax\n fstp %st(3)\n fwait");
CODE(x_stack_over, "fninit\n pushl $0x37e\n fldcw (%esp)\n popl %eax\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1");
CODE(x_overflow, "fninit\n pushl $0x377\n fldcw (%esp)\n popl %eax\n pushl $0x7fff0000\n fildl x_big\n fld1\n fscale\n fxch\n fldt x_max\n fmul %st(0)\n fwait");
CODE(x_inexact, "fninit\n pushl $0x35f\n fldcw (%esp)\n popl %eax\n fld1\n fldpi\n fdivrp\n fwait");
CODE(x_denormal, "fninit\n pushl $0x37d\n fldcw (%esp)\n popl %eax\n flds x_tiny\n fld1\n faddp\n fwait");
CODE(x_pending_at_load, "fninit\n pushl $0x37b\n fldcw (%esp)\n popl %eax\n fld1\n fldz\n fdivrp\n movl $7, %ecx\n movl $8, %edx\n fld1\n nop");
CODE(x_no_wait, "fninit\n pushl $0x37b\n fldcw (%esp)\n popl %eax\n fld1\n fldz\n fdivrp\n fnstsw %ax\n fnclex\n fninit\n movl $9, %ecx");
CODE(x_mmx_pending, "fninit\n pushl $0x37b\n fldcw (%esp)\n popl %eax\n fld1\n fldz\n fdivrp\n movd %ecx, %mm0");
CODE(x_sse_div0, "pushl $0x1d80\n ldmxcsr (%esp)\n movl $0x3f800000, (%esp)\n movss (%esp), %xmm0\n xorps %xmm1, %xmm1\n divss %xmm1, %xmm0\n popl %eax");
CODE(x_sse_invalid, "pushl $0x1f00\n ldmxcsr (%esp)\n xorps %xmm1, %xmm1\n divps %xmm1, %xmm1\n popl %eax");
CODE(x_sse_inexact, "pushl $0x0f80\n ldmxcsr (%esp)\n movl $3, %ecx\n cvtsi2ss %ecx, %xmm1\n movl $1, %ecx\n cvtsi2ss %ecx, %xmm0\n divss %xmm1, %xmm0\n popl %eax");
CODE(x_mxcsr_bad, "pushl $0xffff0000\n ldmxcsr (%esp)\n popl %eax");
CODE(x_fcom_sahf, "fninit\n fld1\n fldpi\n fcompp\n fnstsw %ax\n sahf");
CODE(x_fcomi, "fninit\n fldpi\n fld1\n fcomi %st(1), %st\n fstp %st(0)\n fstp %st(0)");
CODE(x_fucomi_nan, "fninit\n fldz\n fldz\n fdivp\n fld1\n fucomi %st(1), %st\n fstp %st(0)\n fstp %st(0)\n fninit");
CODE(x_fcmov, "fninit\n fld1\n fldpi\n stc\n fcmovb %st(1), %st\n fistpl x_out\n fstp %st(0)\n movl x_out, %eax");
CODE(x_fist_bad, "fninit\n fldt x_max\n fistpl x_out\n movl x_out, %eax\n fldt x_max\n fistpll x_out\n movl x_out+4, %ecx\n fldt x_max\n fistps x_out\n movzwl x_out, %edx\n fnstsw %ax\n fninit");
CODE(x_fisttp, "fninit\n flds x_minus\n fisttpl x_out\n movl x_out, %eax\n flds x_minus\n fistpl x_out\n movl x_out, %ecx");
CODE(x_fbstp, "fninit\n fildl x_int\n fbstp x_out\n movl x_out, %eax\n movl x_out+4, %ecx\n fbld x_out\n fistpl x_out\n movl x_out, %edx");
CODE(x_fxam, "fninit\n fxam\n fnstsw %ax\n movl %eax, %ecx\n fldz\n fchs\n fxam\n fnstsw %ax\n movl %eax, %edx\n fld1\n fxam\n fnstsw %ax\n fninit\n andl $0x4700, %eax\n andl $0x4700, %ecx\n andl $0x4700, %edx");
CODE(x_fprem, "fninit\n fldpi\n fldt x_max\n fprem\n fnstsw %ax\n fstp %st(1)\n fstps x_out\n movl x_out, %ecx\n andl $0x4700, %eax\n fninit");
CODE(x_fxtract, "fninit\n fldpi\n fxtract\n fistpl x_out\n movl x_out, %edx\n fistpl x_out\n movl x_out, %eax\n movl x_out, %eax\n fninit");
CODE(x_mmx_tag, "fninit\n movd %ecx, %mm3\n fnstenv env\n movzwl env+8, %eax\n movzwl env+4, %edx\n emms\n fnstenv env\n movzwl env+8, %ecx\n fninit");
CODE(x_mmx_st, "fninit\n movd %ecx, %mm0\n punpckldq %mm0, %mm0\n fstpt x_out\n movl x_out, %eax\n movl x_out+4, %edx\n movzwl x_out+8, %ebx\n emms\n fninit");
CODE(x_ffree, "fninit\n fld1\n fld1\n ffree %st(1)\n fincstp\n fdecstp\n fnstenv env\n movzwl env+8, %eax\n movzwl env+4, %ecx\n fninit");
__asm__(".data\n.p2align 4\n x_big: .long 100\n x_max: .quad 0xffffffffffffffff\n .word 0x7ffe\n .word 0\n x_tiny: .long 1\n x_minus: .float -2.75\n x_int: .long 123456789\n x_out: .space 16\n .text\n");

static u32 bits(long double v) { u8 b[16] = { 0 }; memcpy(b, &v, 10); return hash(HASH_START, b, 10); }

__attribute__((noinline)) static void math(void)
{
    static const long double values[] = { 0.1L, 0.5L, 0.75L, 1.0L, 1.5L, 3.0L, 100.25L, 1e-5L, 12345.678L, 1e10L };
    u32 h[12]; for (int i = 0; i < 12; i++) h[i] = HASH_START;
    for (int sign = 0; sign < 2; sign++)
        for (unsigned i = 0; i < sizeof values / sizeof *values; i++) {
            long double x = sign ? -values[i] : values[i], r[12] = { 0 };
            __asm__("fsin" : "=t"(r[0]) : "0"(x)); __asm__("fcos" : "=t"(r[1]) : "0"(x)); __asm__("fptan\n fstp %%st(0)" : "=t"(r[2]) : "0"(x));
            __asm__("fpatan" : "=t"(r[3]) : "0"(1.5L), "u"(x) : "st(1)"); __asm__("fsqrt" : "=t"(r[4]) : "0"(x < 0 ? -x : x));
            long double small = x / 20000; __asm__("f2xm1" : "=t"(r[5]) : "0"(small)); __asm__("fyl2x" : "=t"(r[6]) : "0"(x < 0 ? -x : x), "u"(1.25L) : "st(1)");
            __asm__("fyl2xp1" : "=t"(r[7]) : "0"(small / 1e6L), "u"(1.25L) : "st(1)"); __asm__("frndint" : "=t"(r[8]) : "0"(x)); __asm__("fscale" : "=t"(r[9]) : "0"(x), "u"(-3.7L));
            __asm__("fprem1" : "=t"(r[10]) : "0"(x), "u"(0.7L)); __asm__("fabs\n fchs" : "=t"(r[11]) : "0"(x));
            for (int k = 0; k < 12; k++) { u32 b = bits(r[k]); h[k] = hash(h[k], &b, 4); }
        }
    for (int k = 0; k < 12; k++) say("function %d %08x", k, h[k]);
    /* precision and rounding control */
    for (u32 pc = 0; pc < 4; pc++) {
        if (pc == 1) continue;
        for (u32 rc = 0; rc < 4; rc++) {
            u16 cw = 0x7f | pc << 8 | rc << 10, normal = 0x37f; long double r; int n;
            __asm__ volatile("fldcw %2\n fld1\n fldpi\n fdivrp\n fldln2\n fmulp\n fld %%st(0)\n fistpl %1\n fldcw %3" : "=t"(r), "=m"(n) : "m"(cw), "m"(normal));
            long double m; __asm__ volatile("fldcw %1\n flds x_minus\n frndint\n fldcw %2" : "=t"(m) : "m"(cw), "m"(normal));
            say("control %04x %08x int %d round %.1Lf", cw, bits(r), n, m);
        }
    }
}

/* state across signals and system calls */
static volatile u32 hits;
static void trash(int s) { hits++; double d = s; __asm__ volatile("fninit\n fldpi\n fldpi\n fldpi\n fmull %0\n" :: "m"(d)); __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm7, %%xmm7" ::: "xmm0", "xmm7"); }

int main(void)
{
    insn_start();
    environment();
#define X(n) SHOW(n, 0x202, 0)
#define XF(n) SHOW(n, 0x202, CF | PF | ZF)
    X(x_div0); __asm__ volatile("fninit"); X(x_invalid); __asm__ volatile("fninit"); X(x_stack_under); __asm__ volatile("fninit"); X(x_stack_over); __asm__ volatile("fninit");
    X(x_overflow); __asm__ volatile("fninit"); X(x_inexact); __asm__ volatile("fninit"); X(x_denormal); __asm__ volatile("fninit");
    X(x_pending_at_load); __asm__ volatile("fninit"); X(x_no_wait); X(x_mmx_pending); __asm__ volatile("fninit");
    u32 mx = 0x1f80;
    X(x_sse_div0); __asm__ volatile("ldmxcsr %0" :: "m"(mx)); X(x_sse_invalid); __asm__ volatile("ldmxcsr %0" :: "m"(mx)); X(x_sse_inexact); __asm__ volatile("ldmxcsr %0" :: "m"(mx)); X(x_mxcsr_bad);
    XF(x_fcom_sahf); XF(x_fcomi); XF(x_fucomi_nan); X(x_fcmov); X(x_fist_bad); X(x_fisttp); X(x_fbstp); X(x_fxam); X(x_fprem); X(x_fxtract);
    X(x_mmx_tag); X(x_mmx_st); X(x_ffree);
    __asm__ volatile("fninit");
    math();
    signal(SIGUSR1, trash);
    u16 cw = 0x27f, cw_after, sw; double r0, r1; u32 mx_down = 0x3f80, mx_after; float f = 1.25f, g;
    __asm__ volatile("fninit\n fldcw %[cw]\n ldmxcsr %[mx]\n fldpi\n fld1\n movss %[f], %%xmm7\n pushl %%ebx\n movl $20, %%eax\n int $0x80\n movl %%eax, %%ebx\n movl $37, %%eax\n movl $10, %%ecx\n int $0x80\n popl %%ebx\n"
        " movss %%xmm7, %[g]\n fnstsw %[sw]\n fnstcw %[after]\n stmxcsr %[mxa]\n fstpl %[r0]\n fstpl %[r1]\n"
        : [g] "=m"(g), [sw] "=m"(sw), [after] "=m"(cw_after), [mxa] "=m"(mx_after), [r0] "=m"(r0), [r1] "=m"(r1) : [cw] "m"(cw), [mx] "m"(mx_down), [f] "m"(f) : "eax", "ecx", "edx", "memory", "xmm7");
    __asm__ volatile("fninit\n ldmxcsr %0" :: "m"(mx));
    say("across a signal: %u %f %.10f cw %04x sw %04x mxcsr %04x xmm7 %f", hits, r0, r1, cw_after, sw, mx_after, g);
    return finish();
}
