/* Code that is written through /proc/self/mem: no store of the program announces it. */
#include "insn.h"
#include <sys/uio.h>

typedef u32 (*fn)(void);
static u32 call(void *p) { return ((fn)p)(); }
static u8 *mov_eax_ret(u8 *p, u32 v) { *p++ = 0xb8; memcpy(p, &v, 4); p[4] = 0xc3; return p + 5; }
__attribute__((noinline, aligned(64))) static u32 own_text(void) { return 0x11111111; }

int main(void)
{
    u8 code[8]; char path[40];
    u8 *p = mmap(0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q = mmap(0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sprintf(path, "/proc/%d/mem", getpid());
    mov_eax_ret(q, 50); mprotect(q, 4096, PROT_READ | PROT_EXEC);
    int fds[4] = { open("/proc/self/mem", O_RDWR), open64(path, O_RDWR) };
    fds[2] = dup(fds[0]); fds[3] = fcntl(fds[1], F_DUPFD, 700);
    for (u32 i = 0; i < 40; i++) {
        int fd = fds[i & 3];
        mov_eax_ret(p, i); check(call(p) == i, "store"); call(q);
        mov_eax_ret(code, i + 100); struct iovec v[2] = { { code, 3 }, { code + 3, 3 } };
        switch (i >> 2 & 3) {
        case 0: check(pwrite64(fd, code, 6, (u32)p) == 6, "pwrite"); break;
        case 1: lseek64(fd, (u32)p, SEEK_SET); check(write(fd, code, 6) == 6, "write"); break;
        case 2: check(pwritev64(fd, v, 2, (u32)p) == 6, "pwritev"); break;
        case 3: lseek64(fd, (u32)p, SEEK_SET); check(writev(fd, v, 2) == 6, "writev"); break;
        }
        check(call(p) == i + 100, "stale after /proc/self/mem, %d", i);
        check(pwrite64(fd, code, 6, (u32)q) == 6, "read-only page"); check(call(q) == i + 100, "stale in a read-only page, %d", i);
    }
    u32 v = 0x22222222; u8 *text = (u8 *)own_text; int at = 0; while (memcmp(text + at, "\x11\x11\x11\x11", 4)) at++;
    static void *volatile own = own_text; u32 before = call(own);
    long written = pwrite64(fds[0], &v, 4, (u32)text + at);
    say("text written %ld, %x then %x", written, before, call(own));
    u8 b[8]; long got = pread64(fds[1], b, 4, (u32)text + at); say("read back %ld %x", got, *(u32 *)b);
    munmap(p + 4096, 4096); say("over the end: %ld", kernel_result(pwrite64(fds[0], code, 8, (u32)p + 4090)));
    return finish();
}
