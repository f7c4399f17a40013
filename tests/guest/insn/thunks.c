/* Program counter thunks (mov (%esp),%reg; ret) on their caller's page and on another: called, changed, unmapped, and called again. */
#include "insn.h"

typedef u32 (*fn)(void);
static u32 call(void *p) { return ((fn)p)(); }

static u8 *rel(u8 *p, u8 op, void *to) { *p++ = op; u32 d = (u32)to - (u32)(p + 4); memcpy(p, &d, 4); return p + 4; }
static void thunk(u8 *p, int reg) { p[0] = 0x8b; p[1] = 0x04 | reg << 3; p[2] = 0x24; p[3] = 0xc3; }

/* push ebx; call thunk; mov eax, ebx; pop ebx; ret. Returns the address behind the call. */
static u32 caller(u8 *p, void *to)
{
    *p++ = 0x53; p = rel(p, 0xe8, to); u32 next = (u32)p;
    memcpy(p, "\x89\xd8\x5b\xc3", 4);
    return next;
}

/* As caller, but the flags of a compare before the call are read behind it: returns 1 when they are still equal. */
static void flags_caller(u8 *p, void *to)
{
    *p++ = 0x53; memcpy(p, "\x31\xc0\x39\xc0", 4); p = rel(p + 4, 0xe8, to);
    memcpy(p, "\x0f\x94\xc0\x0f\xb6\xc0\x5b\xc3", 8);
}

static void rounds(u8 *p, const char *what, int writable)
{
    u8 *far = p + 8192 + 64;
    u32 a, b, c;
    for (int round = 0; round < 40; round++) {
        int prot = writable ? 7 : 5;
        mprotect(p, 16384, 7);
        memset(p, 0xcc, 16384);
        thunk(far, 3);
        a = caller(p, far); b = caller(p + 128, far); c = caller(p + 4096 + 64, far);
        flags_caller(p + 256, far);
        mprotect(p, 16384, prot);
        check(call(p) == a, "%s: first caller", what);
        check(call(p) == a, "%s: first caller again", what);
        check(call(p + 128) == b, "%s: second caller", what);
        check(call(p + 4096 + 64) == c, "%s: caller on another page", what);
        check(call(p + 256) == 1, "%s: flags over a thunk", what);
        /* the thunk is something else now: xor ebx,ebx; ret */
        if (!writable) mprotect(p + 8192, 4096, 7);
        memcpy(far, "\x31\xdb\xc3", 3);
        if (!writable) mprotect(p + 8192, 4096, 5);
        check(call(p) == 0 && call(p + 128) == 0 && call(p + 4096 + 64) == 0, "%s: changed thunk", what);
        /* another register: EBX stays the caller's, which is callee-saved and unknown; ECX is loaded */
        if (!writable) mprotect(p + 8192, 4096, 7);
        thunk(far, 1);
        if (!writable) mprotect(p + 8192, 4096, 5);
        u32 keep = 0x12345678, got;
        __asm__ volatile("push %%ebx; mov %1, %%ebx; call *%2; pop %%ebx" : "=a"(got) : "D"(keep), "S"(p) : "ecx", "edx", "memory", "cc");
        check(got == keep, "%s: thunk of another register", what);
        /* and back */
        if (!writable) mprotect(p + 8192, 4096, 7);
        thunk(far, 3);
        if (!writable) mprotect(p + 8192, 4096, 5);
        check(call(p) == a && call(p + 128) == b && call(p + 4096 + 64) == c, "%s: thunk put back", what);
    }
}

static volatile u32 faults, fault_at;
static u8 *gone;
static int again(int sig, siginfo_t *i, ucontext_t *uc)
{
    (void)sig; (void)i;
    faults++; fault_at = uc->uc_mcontext.gregs[REG_EIP];
    mmap(gone, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    memcpy(gone + 64, "\x31\xdb\xc3", 3);
    return 1;
}

int main(void)
{
    insn_start();
    u8 *p = mmap(0, 16384, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    rounds(p, "read-only", 0);
    rounds(p, "writable", 1);

    /* the thunk's page goes away: the call faults at the thunk */
    mprotect(p, 16384, 7);
    gone = p + 8192; thunk(gone + 64, 3);
    u32 a = caller(p, gone + 64), b = caller(p + 128, gone + 64);
    check(call(p) == a && call(p + 128) == b && call(p + 128) == b, "before it goes");
    munmap(gone, 4096);
    fault_hook = again;
    check(call(p + 128) == 0 && faults == 1 && fault_at == (u32)gone + 64, "thunk unmapped: %u faults at %x", faults, fault_at - (u32)gone);
    fault_hook = 0;
    return finish();
}
