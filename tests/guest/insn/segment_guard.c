/* DS, ES, SS, FS and GS with descriptors that do not allow everything: limits, expand-down, read-only, code segments, null selectors.
 * Each piece of code runs between a load of the segment and its return to the flat one; what it raises is shown. */
#include "insn.h"
#include <asm/ldt.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

static sigjmp_buf back;
static u32 flat_gs;
static volatile int seen_signal, seen_code, seen_trap, seen_error;
static volatile u32 seen_address, seen_ecx, seen_esi, seen_edi;
static void on_fault(int signal, siginfo_t *info, void *context)
{
    __asm__ volatile("movw %w0, %%gs" : : "r"(flat_gs));
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    seen_signal = signal; seen_code = info->si_code; seen_address = (u32)info->si_addr; seen_trap = g[REG_TRAPNO]; seen_error = g[REG_ERR];
    seen_ecx = g[REG_ECX]; seen_esi = g[REG_ESI]; seen_edi = g[REG_EDI];
    siglongjmp(back, 1);
}

static u8 area[8192] __attribute__((aligned(4096)));
static u32 value;
static int set_ldt(int entry, u32 base, u32 limit, int pages, int contents, int read_only)
{
    struct user_desc d = { .entry_number = entry, .base_addr = base, .limit = limit, .seg_32bit = 1, .contents = contents, .read_exec_only = read_only, .limit_in_pages = pages, .useable = 1 };
    return raw(SYS_modify_ldt, 1, &d, sizeof d);
}
#define SEL(entry) ((entry) * 8 + 7)

/* CODE uses %%esi as the offset and %%eax as the value; S is the register that holds the selector meanwhile */
#define TRY(what, S, selector, offset, code) do { \
        seen_signal = 0; value = 0; \
        if (!sigsetjmp(back, 1)) \
            __asm__ volatile("movw %w1, %%" S "\n" code "\n movw %w2, %%" S \
                : "=&a"(value) : "r"(selector), "r"(strcmp(S, "gs") ? strcmp(S, "fs") ? 0x2b : 0 : flat_gs), "S"(offset), "0"(0x11223344) : "ecx", "memory"); \
        if (!strcmp(S, "fs")) __asm__ volatile("movw %w0, %%fs" : : "r"(0)); \
        if (seen_signal) say("%-34s signal %d code %x address %x trap %d error %x", what, seen_signal, seen_code, seen_address, seen_trap, seen_error); \
        else say("%-34s %x", what, value); } while (0)

#define EACH(S, name, selector) do { \
        static const u32 offsets[] = { 0, 4, 12, 13, 16, 0x1000, 0x1ffc, 0x1ffd, 0xfffffffc, 0xffffffff }; \
        for (unsigned i_ = 0; i_ < sizeof offsets / sizeof *offsets; i_++) { \
            char w_[60]; sprintf(w_, "%s %s load at %x", S, name, offsets[i_]); TRY(w_, S, selector, offsets[i_], "movl %%" S ":(%%esi), %%eax"); \
            sprintf(w_, "%s %s store at %x", S, name, offsets[i_]); TRY(w_, S, selector, offsets[i_], "movb %%al, %%" S ":(%%esi)"); } } while (0)

int main(void)
{
    insn_start();
    __asm__("movw %%gs, %w0" : "=r"(flat_gs)); flat_gs &= 0xffff;
    static char stack[65536]; stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack }; sigaltstack(&ss, 0);
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigaction(SIGSEGV, &sa, 0); sigaction(SIGBUS, &sa, 0); sigaction(SIGILL, &sa, 0);
    for (unsigned i = 0; i < sizeof area; i++) area[i] = i * 7;
    u32 base = (u32)area;
    say("%d", set_ldt(1, base, 15, 0, 0, 0)); say("%d", set_ldt(2, base, 0, 1, 0, 0)); say("%d", set_ldt(3, base, 0xfffff, 1, 0, 1));
    say("%d", set_ldt(4, base, 15, 0, 1, 0)); say("%d", set_ldt(5, base, 0x1fff, 0, 2, 0)); say("%d", set_ldt(6, base, 0x1fff, 0, 2, 1));
    say("%d", set_ldt(7, 0, 0xfffff, 1, 0, 0)); say("%d", set_ldt(8, base, 0x1fff, 0, 0, 1));
    EACH("fs", "16 bytes", SEL(1)); EACH("fs", "a page", SEL(2)); EACH("fs", "read-only", SEL(3)); EACH("fs", "code", SEL(5));
    EACH("es", "16 bytes", SEL(1)); EACH("es", "read-only", SEL(8)); EACH("es", "null", 0); EACH("es", "flat, LDT", SEL(7)); EACH("es", "code, execute only", SEL(6));
    EACH("ds", "a page", SEL(2)); EACH("ds", "null", 3); EACH("gs", "null", 0); EACH("gs", "a page", SEL(2)); EACH("fs", "null", 0);
    static const u32 down[] = { 0, 15, 16, 17, 0x1000 };
    for (int i = 0; i < 5; i++) { char w[40]; sprintf(w, "expand-down load at %x", down[i]); TRY(w, "es", SEL(4), down[i], "movl %%es:(%%esi), %%eax"); }
    TRY("gs null, absolute", "gs", 0, 0, "movl %%gs:0, %%eax"); TRY("gs null, indexed", "gs", 0, 8, "movl %%gs:4(%%esi,%%esi,2), %%eax");
    /* string instructions stop where the segment ends */
    TRY("stos within", "es", SEL(1), 0, "pushl %%edi\n xorl %%edi, %%edi\n movl $4, %%ecx\n cld\n rep stosl\n popl %%edi");
    seen_ecx = seen_edi = 0;
    TRY("stos beyond", "es", SEL(1), 0, "pushl %%edi\n xorl %%edi, %%edi\n movl $7, %%ecx\n cld\n rep stosl\n popl %%edi"); say("ecx %x edi %x", seen_ecx, seen_edi);
    TRY("lods from ds", "ds", SEL(1), 14, "lodsb\n lodsb\n"); TRY("lods beyond", "ds", SEL(1), 14, "movl $5, %%ecx\n rep lodsb"); say("ecx %x esi %x", seen_ecx, seen_esi);
    TRY("movs to read-only", "es", SEL(8), 0, "pushl %%edi\n leal area, %%esi\n xorl %%edi, %%edi\n movsl\n popl %%edi");
    TRY("moffs load", "ds", SEL(1), 0, "movb 15, %%al"); TRY("moffs beyond", "ds", SEL(1), 0, "movl 13, %%eax");
    TRY("xlat beyond", "ds", SEL(1), 0, "pushl %%ebx\n movl $10, %%ebx\n movl $6, %%eax\n xlatb\n popl %%ebx"); TRY("lea and nop do not access", "ds", SEL(1), 0x4000, "leal 8(%%esi), %%eax\n nopl (%%esi)");
    TRY("bit string", "es", SEL(1), 0, "movl $127, %%ecx\n btl %%ecx, %%es:(%%esi)\n setc %%al"); TRY("bit string beyond", "es", SEL(1), 0, "movl $128, %%ecx\n btl %%ecx, %%es:(%%esi)\n setc %%al");
    TRY("movups", "es", SEL(1), 0, "movups %%es:(%%esi), %%xmm0\n movd %%xmm0, %%eax"); TRY("movups beyond", "es", SEL(1), 1, "movups %%es:(%%esi), %%xmm0\n movd %%xmm0, %%eax");
    TRY("push from", "es", SEL(1), 12, "pushl %%es:(%%esi)\n popl %%eax"); TRY("push from beyond", "es", SEL(1), 13, "pushl %%es:(%%esi)\n popl %%eax");
    TRY("read-modify-write of read-only", "es", SEL(8), 4, "addl $1, %%es:(%%esi)"); TRY("compare with read-only", "es", SEL(8), 4, "cmpl $1, %%es:(%%esi)\n setz %%al"); TRY("lock xadd beyond", "es", SEL(1), 14, "lock xaddl %%eax, %%es:(%%esi)");
    /* a stack segment: one page, flat base, so that ESP stays the same */
    u32 top; __asm__("movl %%esp, %0" : "=r"(top));
    say("%d", set_ldt(9, 0, (top >> 12) + 1, 1, 0, 0)); TRY("stack within", "ss", SEL(9), 0, "pushl %%eax\n popl %%eax");
    say("%d", set_ldt(10, 0, (top >> 12) - 16, 1, 0, 0)); TRY("stack beyond: push", "ss", SEL(10), 0, "pushl %%eax\n popl %%eax"); TRY("stack beyond: load", "ss", SEL(10), 0, "movl (%%esp), %%eax"); TRY("stack beyond: call", "ss", SEL(10), 0, "call 1f\n 1: popl %%eax");
    TRY("stack read-only", "ss", SEL(8), 0, "nop");
    /* loops run as they do elsewhere, only slower */
    TRY("a loop with ds limited", "ds", SEL(2), 0, "xorl %%eax, %%eax\n movl $1000, %%ecx\n 1: addb (%%esi), %%al\n incl %%esi\n loop 1b");
    return finish();
}
