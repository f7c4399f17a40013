/* Jumps through tables in read-only memory: bounded by a comparison or by an extension, entered behind the comparison, tables and targets
 * that change, that are written by others, that are unmapped. */
#include "insn.h"

enum { N = 20, ALL = 300 };
static u8 *code, *table;                               /* code: 4 pages, table: a page */
static u32 entries[ALL];

static u8 *put(u8 *p, const char *bytes, int n) { memcpy(p, bytes, n); return p + n; }
static u8 *imm(u8 *p, u32 v) { memcpy(p, &v, 4); return p + 4; }
static u32 call(void *at, u32 index)
{
    u32 r;
    __asm__ volatile("call *%1" : "=a"(r) : "r"(at), "a"(index) : "ecx", "edx", "memory", "cc");
    return r;
}

/* targets 16 bytes apart: mov $1000 + i, %eax; ret */
static void target(u32 i, u32 value) { u8 *p = code + 8192 + i * 16; *p++ = 0xb8; p = imm(p, value); *p = 0xc3; }
static void fill(int shift)
{
    mprotect(table, 4096, 3);
    for (u32 i = 0; i < ALL; i++) entries[i] = (u32)code + 8192 + (i + shift) % ALL * 16;
    memcpy(table, entries, sizeof entries);
    mprotect(table, 4096, 1);
}

static u8 *bounded, *behind, *loaded, *behind_load, *extended, *narrow;
static void make(void)
{
    u8 *p = code;
    /* cmp $N-1, %eax; ja 1f; jmp *table(,%eax,4); 1: mov $-1, %eax; ret */
    bounded = p; p = put(p, "\x83\xf8", 2); *p++ = N - 1; p = put(p, "\x77\x07", 2); behind = p; p = put(p, "\xff\x24\x85", 3); p = imm(p, (u32)table);
    p = put(p, "\xb8\xff\xff\xff\xff\xc3", 6);
    /* the same by way of a register; another instruction in between */
    p = code + 64; loaded = p; p = put(p, "\x83\xf8", 2); *p++ = N - 1; p = put(p, "\x77\x0b", 2); p = put(p, "\x89\xc1", 2); behind_load = p;
    p = put(p, "\x8b\x04\x85", 3); p = imm(p, (u32)table); p = put(p, "\xff\xe0", 2); p = put(p, "\xb8\xff\xff\xff\xff\xc3", 6);
    /* movzx %al, %eax; jmp *table(,%eax,4) */
    p = code + 128; extended = p; p = put(p, "\x0f\xb6\xc0\xff\x24\x85", 6); p = imm(p, (u32)table);
    /* cmp $N, %al; jae 1f; movzx %al, %edx; mov table(,%edx,4), %edx; jmp *%edx; 1: mov $-1, %eax; ret */
    p = code + 192; narrow = p; p = put(p, "\x3c", 1); *p++ = N; p = put(p, "\x73\x0c", 2); p = put(p, "\x0f\xb6\xd0\x8b\x14\x95", 6); p = imm(p, (u32)table);
    p = put(p, "\xff\xe2\xb8\xff\xff\xff\xff\xc3", 8);
    for (u32 i = 0; i < ALL; i++) target(i, 1000 + i);
}

static void all(const char *what, int shift)
{
    for (int round = 0; round < 3; round++)
        for (u32 i = 0; i < N + 5; i++) {
            u32 want = i < N ? 1000 + (i + shift) % ALL : ~0u;
            check(call(bounded, i) == want, "%s: bounded %u", what, i);
            check(call(loaded, i) == want, "%s: loaded %u", what, i);
            check(call(narrow, i) == want, "%s: narrow %u", what, i);
            check(call(extended, i * 11) == 1000 + ((i * 11 & 255) + shift) % ALL, "%s: extended %u", what, i * 11);
        }
    /* past the comparison, with an index that it would have stopped */
    for (u32 i = 0; i < ALL; i += 7) {
        check(call(behind, i) == 1000 + (i + shift) % ALL, "%s: behind the comparison %u", what, i);
        check(call(behind_load, i) == 1000 + (i + shift) % ALL, "%s: behind the comparison, loaded %u", what, i);
        check(call(extended, i | 0x5500) == 1000 + ((i & 255) + shift) % ALL, "%s: extended, high bits %u", what, i);
    }
}

static volatile u32 faults, fault_at;
static int gone(int sig, siginfo_t *i, ucontext_t *uc)
{
    (void)sig;
    faults++; fault_at = (u32)i->si_addr;
    uc->uc_mcontext.gregs[REG_EIP] = (u32)code + 8192;
    return 1;
}

int main(void)
{
    insn_start();
    code = mmap(0, 16384, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    table = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    make(); fill(0);
    all("first", 0);
    for (int shift = 1; shift < 40; shift += 6) { fill(shift); all("table changed", shift); }
    fill(0);
    for (u32 round = 1; round < 6; round++) {
        for (u32 i = 0; i < N; i += 3) target(i, 5000 * round + i);
        for (u32 i = 0; i < N; i++) {
            u32 want = (i % 3 ? 1000 : 5000 * round) + i;
            check(call(bounded, i) == want && call(loaded, i) == want && call(narrow, i) == want && call(extended, i) == want, "target changed %u", i);
        }
    }
    make();

    /* written while it is writable, with no change of protection in between */
    mprotect(table, 4096, 3);
    for (int shift = 0; shift < 6; shift++) {
        for (u32 i = 0; i < ALL; i++) ((u32 *)table)[i] = (u32)code + 8192 + (i + shift) % ALL * 16;
        all("writable table", shift);
    }
    /* another mapping over it, then none */
    fill(0); all("read-only again", 0);
    mmap(table, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); fill(17); all("mapped over", 17);
    munmap(table, 4096); fault_hook = gone;
    check(call(bounded, 3) == 1000 && faults == 1 && fault_at == (u32)table + 12, "unmapped table: %u faults at %d", faults, (int)(fault_at - (u32)table));
    check(call(loaded, 5) == 1000 && faults == 2 && fault_at == (u32)table + 20, "unmapped table, loaded");
    fault_hook = 0;
    return finish();
}
