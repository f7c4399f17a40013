/* cpuid, xgetbv and what they promise: every feature shown can be executed, what is not shown is an invalid instruction where that is safe to try. */
#include "insn.h"
#include <cpuid.h>
#include <sys/auxv.h>

CODE(i_cmov, "stc\n cmovcl %ecx, %eax"); CODE(i_sse, "xorps %xmm0, %xmm0"); CODE(i_sse2, "paddq %xmm0, %xmm0"); CODE(i_sse3, "haddps %xmm0, %xmm0"); CODE(i_ssse3, "pshufb %xmm0, %xmm0");
CODE(i_sse41, "pmulld %xmm0, %xmm0"); CODE(i_sse42, "pcmpgtq %xmm0, %xmm0\n crc32b %al, %ecx"); CODE(i_popcnt, "popcntl %eax, %ecx"); CODE(i_movbe, "pushl $1\n movbel (%esp), %eax\n addl $4, %esp"); CODE(i_aes, "aesenc %xmm0, %xmm0");
CODE(i_pclmul, "pclmulqdq $0, %xmm0, %xmm0"); CODE(i_avx, "vaddps %ymm0, %ymm0, %ymm0\n vzeroupper"); CODE(i_f16c, "vcvtph2ps %xmm0, %ymm0\n vzeroupper"); CODE(i_fma, "vfmadd231ps %ymm0, %ymm0, %ymm0\n vzeroupper"); CODE(i_avx2, "vpaddb %ymm0, %ymm0, %ymm0\n vzeroupper");
CODE(i_bmi1, "andnl %eax, %eax, %ecx"); CODE(i_bmi2, "pdepl %eax, %eax, %ecx"); CODE(i_adx, "adcxl %eax, %ecx"); CODE(i_lzcnt, "lzcntl %eax, %ecx"); CODE(i_sha, "sha1msg1 %xmm0, %xmm0"); CODE(i_rdrand, "rdrand %eax"); CODE(i_rdseed, "rdseed %eax");
CODE(i_fxsr, "movl $cpuid_area, %ecx\n fxsave (%ecx)"); CODE(i_xsave, "movl $cpuid_area, %ecx\n movl $3, %eax\n xorl %edx, %edx\n xsave (%ecx)"); CODE(i_clflush, "clflush cpuid_area"); CODE(i_cx8, "lock cmpxchg8b cpuid_area"); CODE(i_mmx, "paddb %mm0, %mm0\n emms"); CODE(i_avx512f, ".byte 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0");
CODE(i_tsc, "rdtsc"); CODE(i_rdtscp, "rdtscp"); CODE(i_gfni, "gf2p8mulb %xmm0, %xmm0"); CODE(i_vaes, "vaesenc %ymm0, %ymm0, %ymm0\n vzeroupper"); CODE(i_prefetchw, "prefetchw cpuid_area"); CODE(i_sse4a, "extrq $8, $8, %xmm0"); CODE(i_clwb, ".byte 0x66\n xsaveopt cpuid_area"); CODE(i_xgetbv, "xorl %ecx, %ecx\n xgetbv");
u8 cpuid_area[4096] __attribute__((aligned(64)));

int main(void)
{
    u32 a, b, c, d, max, b7 = 0, c7 = 0, d7 = 0, ce, de; char vendor[13] = "";
    insn_start();
    __cpuid(0, max, b, c, d); memcpy(vendor, &b, 4); memcpy(vendor + 4, &d, 4); memcpy(vendor + 8, &c, 4); say("vendor printable %d leaves %d", strlen(vendor) == 12, max >= 7);
    __cpuid_count(7, 0, a, b7, c7, d7); __cpuid(0x80000001, a, b, ce, de); __cpuid(1, a, b, c, d);
    struct { const char *name; int shown; const char *code; } f[] = {
        { "cmov", d >> 15 & 1, i_cmov }, { "sse", d >> 25 & 1, i_sse }, { "sse2", d >> 26 & 1, i_sse2 }, { "sse3", c & 1, i_sse3 }, { "ssse3", c >> 9 & 1, i_ssse3 }, { "sse4.1", c >> 19 & 1, i_sse41 }, { "sse4.2", c >> 20 & 1, i_sse42 },
        { "popcnt", c >> 23 & 1, i_popcnt }, { "movbe", c >> 22 & 1, i_movbe }, { "aes", c >> 25 & 1, i_aes }, { "pclmulqdq", c >> 1 & 1, i_pclmul }, { "avx", c >> 28 & 1, i_avx }, { "f16c", c >> 29 & 1, i_f16c }, { "fma", c >> 12 & 1, i_fma },
        { "avx2", b7 >> 5 & 1, i_avx2 }, { "bmi1", b7 >> 3 & 1, i_bmi1 }, { "bmi2", b7 >> 8 & 1, i_bmi2 }, { "adx", b7 >> 19 & 1, i_adx }, { "lzcnt", ce >> 5 & 1, i_lzcnt }, { "sha", b7 >> 29 & 1, i_sha }, { "rdrand", c >> 30 & 1, i_rdrand }, { "rdseed", b7 >> 18 & 1, i_rdseed },
        { "fxsr", d >> 24 & 1, i_fxsr }, { "osxsave", c >> 27 & 1, i_xsave }, { "clflush", d >> 19 & 1, i_clflush }, { "cx8", d >> 8 & 1, i_cx8 }, { "mmx", d >> 23 & 1, i_mmx }, { "avx512f", b7 >> 16 & 1, i_avx512f }, { "tsc", d >> 4 & 1, i_tsc }, { "rdtscp", de >> 27 & 1, i_rdtscp },
        { "gfni", c7 >> 8 & 1, i_gfni }, { "vaes", c7 >> 9 & 1, i_vaes }, { "sse4a", ce >> 6 & 1, i_sse4a } };
    int required = 0;
    for (unsigned i = 0; i < sizeof f / sizeof *f; i++) {
        struct regs r = some_regs; int sig = run(f[i].code, &r);
        if (f[i].shown) check(sig == 0, "%s is shown and gives signal %d", f[i].name, sig);
        else { remark("%s is not shown%s", f[i].name, sig ? "" : " but runs"); if (!strcmp(f[i].name, "avx512f") || !strcmp(f[i].name, "avx")) check(sig == SIGILL, "%s is not shown and gives %d", f[i].name, sig); }
        if (f[i].shown && i < 3) required++;
    }
    say("baseline features %d", required); say("long mode hidden or shown, no 32-bit meaning: lahf %d", (int)(ce & 1));
    if (c >> 27 & 1) { u32 lo, hi; __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0)); say("xcr0 has x87 and sse %d, avx as shown %d", (lo & 3) == 3, (int)(lo >> 2 & 1) == (int)(c >> 28 & 1)); check(!(lo & 0xe0) == !(b7 >> 16 & 1), "avx-512 state %x and feature %d differ", lo, b7 >> 16 & 1); u32 size, comp; __cpuid_count(13, 0, a, size, comp, d); check(size >= 576 && size <= comp, "xsave size %u of %u", size, comp); remark("xcr0 %x xsave %u max %u", lo, size, comp); }
    u32 hw = getauxval(AT_HWCAP), edx; __cpuid(1, a, b, c, edx); check((hw ^ edx) << 0 == 0 || (hw & ~edx) == 0, "AT_HWCAP %x and cpuid %x", hw, edx);
    struct regs r = some_regs; r.eax = 0; r.eflags = ARITH; run(i_xgetbv, &r); say("flags kept %s", flag_names(r.eflags & ARITH)); u32 t0, t1, h0, h1; __asm__ volatile("rdtsc" : "=a"(t0), "=d"(h0)); usleep(1000); __asm__ volatile("rdtsc" : "=a"(t1), "=d"(h1)); say("tsc runs %d", ((u64)h1 << 32 | t1) > ((u64)h0 << 32 | t0));
    FILE *p = fopen("/proc/cpuinfo", "r"); char line[4000]; int ok = 1; __cpuid(1, a, b, c, d); while (p && fgets(line, sizeof line, p)) if (!strncmp(line, "flags", 5)) { if (!strstr(line, " sse2 ")) ok = 0; if (!!strstr(line, " avx2 ") != (b7 >> 5 & 1)) ok = 0; if (!!strstr(line, " avx512f ") != (b7 >> 16 & 1)) ok = 0; } say("cpuinfo agrees %d", ok);
    return finish();
}
