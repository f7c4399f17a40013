/* Code that changes without a store of this process announcing it: shared memory that another process writes, /proc/self/mem. */
#include "insn.h"

typedef u32 (*fn)(void);
static u32 call(void *p) { return ((fn)p)(); }
static u8 *mov_eax_ret(u8 *p, u32 v) { *p++ = 0xb8; memcpy(p, &v, 4); p[4] = 0xc3; return p + 5; }

int main(void)
{
    /* another process changes shared code */
    u8 *shared = mmap(0, 4096, 7, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (u32 i = 0; i < 10; i++) {
        mov_eax_ret(shared, i); check(call(shared) == i, "shared");
        pid_t c = fork(); if (!c) { mov_eax_ret(shared, i + 100); _exit(call(shared) == i + 100 ? 0 : 1); }
        int st; waitpid(c, &st, 0); check(st == 0, "child %x", st);
        check(call(shared) == i + 100, "changed by another process");
    }
    u8 *p = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), code[8];
    mov_eax_ret(p, 1); call(p); mov_eax_ret(code, 2);
    int s = open("/proc/self/mem", O_RDWR); check(pwrite64(s, code, 6, (u32)p) == 6, "/proc/self/mem into code"); close(s);
    check(call(p) == 2, "stale after /proc/self/mem");
    return finish();
}
