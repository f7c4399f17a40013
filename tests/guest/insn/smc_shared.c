/* Code in shared memory that another process changes. */
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
    return finish();
}
