/* Self-modifying code: the next instruction, the running loop, code over a page end, code that other means than stores change. */
#include "insn.h"
#include <sys/uio.h>

static u8 *page;                                       /* 4 pages rwx */
typedef u32 (*fn)(void);
static u32 call(void *p) { return ((fn)p)(); }
static u8 *put(u8 *p, const char *bytes, int n) { memcpy(p, bytes, n); return p + n; }
static u8 *imm(u8 *p, u32 v) { memcpy(p, &v, 4); return p + 4; }
static u8 *mov_eax_ret(u8 *p, u32 v) { *p++ = 0xb8; p = imm(p, v); *p++ = 0xc3; return p; }
static volatile u32 seen; static u32 fault_at;
static int note_hook(int sig, siginfo_t *i, ucontext_t *uc) { (void)sig; seen++; fault_at = uc->uc_mcontext.gregs[REG_EIP]; mprotect(page, 16384, 7); (void)i; return 1; }

static void patch_next(void)
{
    /* movl $imm, (next+1); next: movl $1, %eax; ret */
    for (u32 v = 0; v < 200; v++) {
        u8 *p = page;
        p = put(p, "\xc7\x05", 2); p = imm(p, (u32)page + 11); p = imm(p, v * 77 + 5);
        p = mov_eax_ret(p, 1);
        check(call(page) == v * 77 + 5, "store to the next instruction %u", v);
        check(call(page) == v * 77 + 5, "again %u", v);
    }
    /* by every kind of store: movb, xchg, stosl, rep movsl, push, movups, fstp, cmpxchg, lock add, call (pushes a return address) */
    static const struct { const char *name, *code; int n; } kinds[] = {
        { "movb", "\xc6\x03\x2a", 3 }, { "xchg", "\xb9\x2a\0\0\0\x87\x0b", 7 }, { "stos", "\xb8\x2a\0\0\0\x89\xdf\xab", 8 },
        { "orb", "\x80\x0b\x2a", 3 }, { "lock add", "\xf0\x83\x03\x2a", 4 }, { "push", "\x89\xe1\x8d\x63\x04\x6a\x2a\x89\xcc", 9 },
        { "rep stos", "\xb8\x2a\0\0\0\x89\xdf\xb9\x01\0\0\0\xf3\xab", 14 }, { "movss", "\xb8\x2a\0\0\0\x66\x0f\x6e\xc0\xf3\x0f\x11\x03", 13 },
        { "fistp", "\x6a\x2a\xdb\x04\x24\x58\xdb\x1b", 8 }, { "movd mm", "\xb8\x2a\0\0\0\x0f\x6e\xc0\x0f\x7e\x03\x0f\x77", 13 },
        { "bts", "\x31\xc0\x0f\xba\x2b\x01\x0f\xba\x2b\x03\x0f\xba\x2b\x05", 14 }, { "setcc+shl", "\x31\xc0\x0f\x94\x03\xc0\x23\x05\x80\x03\x0a", 11 },
        { "xadd", "\xb9\x2a\0\0\0\x0f\xc1\x0b", 8 }, { "cmpxchg", "\x31\xc0\xb9\x2a\0\0\0\x0f\xb1\x0b", 10 }, { "pop mem", "\x6a\x2a\x8f\x03", 4 },
        { "cmpxchg8b", "\x31\xc0\x50\x8b\x03\x8b\x53\x04\x53\x89\xd1\xbb\x2a\0\0\0\x87\x1c\x24\xbf\x2a\0\0\0\x89\xde\x89\xfb\x0f\xc7\x0e\x5b\x5b", 33 },
    };
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (int round = 0; round < 3; round++) {
            u8 *p = page + 256, *store;
            *p++ = 0x53; *p++ = 0x57; *p++ = 0x56;                        /* push ebx, edi, esi */
            *p++ = 0xbb; store = p; p += 4;                              /* mov $target, %ebx */
            p = put(p, kinds[k].code, kinds[k].n);
            p = put(p, "\x31\xc0", 2);
            *p = 0xb8; imm(store, (u32)p + 1); p = imm(p + 1, 0);        /* target: movl $0, %eax: its immediate is stored to */
            p = put(p, "\x5e\x5f\x5b\xc3", 4);
            u32 got = call(page + 256);
            check(got == 0x2a, "%s: %x", kinds[k].name, got);
        }
    }
    say("next instruction");
}

static void loops(void)
{
    /* a loop whose body increments its own immediate: mov $N; inc ecx; incl (N); cmp; jne */
    u8 *p = page + 1024, *top, *n;
    p = put(p, "\x31\xc9\x31\xd2", 4); top = p;
    *p++ = 0xb8; n = p; p = imm(p, 0);                                   /* movl $n, %eax */
    p = put(p, "\x01\xc1\xff\x05", 4); p = imm(p, (u32)n);               /* addl %eax, %ecx; incl n */
    p = put(p, "\x42\x81\xfa", 3); p = imm(p, 1000);                     /* incl %edx; cmpl $1000, %edx */
    *p++ = 0x75; *p = (u8)(top - (p + 1)); p++;
    p = put(p, "\x89\xc8\xc3", 3);
    say("growing immediate %u", call(page + 1024));
    /* a function that overwrites its own start with another while it runs */
    for (int i = 0; i < 50; i++) {
        u8 *q = page + 2048;
        p = q; *p++ = 0xbf; p = imm(p, (u32)q); *p++ = 0xbe; p = imm(p, (u32)q + 512); *p++ = 0xb9; p = imm(p, 8); p = put(p, "\xf3\xa5", 2); p = mov_eax_ret(p, 100 + i);
        u8 *w = mov_eax_ret(q + 512, 5000 + i);
        memset(w, 0x90, 16); mov_eax_ret(q + 512 + 22, 7000 + i);        /* what the copy puts behind the copying instruction */
        u32 a;
        __asm__ volatile("pushl %%esi\n pushl %%edi\n call *%1\n popl %%edi\n popl %%esi" : "=a"(a) : "d"(q) : "ecx", "memory");
        check(a == 7000u + i, "code behind the copy: %u", a);
        check(call(q) == 5000u + i, "overwritten start");
    }
    say("own start");
}

static void pages(void)
{
    /* code that ends exactly with its page, next page unmapped */
    u8 *end = mmap(0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(end + 4096, 4096);
    for (u32 i = 0; i < 20; i++) { mov_eax_ret(end + 4090, i); check(call(end + 4090) == i, "code at the page end"); }
    /* an instruction cut by the end faults at the missing page, eip at the instruction */
    struct regs r = some_regs;
    memset(end + 4000, 0x90, 96); end[4095] = 0xb8;
    run(end + 4080, &r); say("cut instruction: signal %d eip %+d addr %+d err %x", fault.sig, (int)(fault.eip - (u32)end), (int)(fault.addr - (u32)end), fault.err);
    memset(end + 4000, 0x90, 96); r = some_regs;
    run(end + 4080, &r); say("run off the end: signal %d eip %+d addr %+d err %x", fault.sig, (int)(fault.eip - (u32)end), (int)(fault.addr - (u32)end), fault.err);
    /* a block over two pages, the second made unexecutable, changed, remapped */
    u8 *two = mmap(0, 8192, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(two + 4000, 0x90, 200); mov_eax_ret(two + 4150, 1); check(call(two + 4000) == 1, "two pages");
    mov_eax_ret(two + 4150, 2); check(call(two + 4000) == 2, "second page changed");
    mprotect(two + 4096, 4096, PROT_READ | PROT_WRITE); r = some_regs;
    run(two + 4000, &r); say("second page not executable: signal %d code %d eip %+d addr %+d err %x", fault.sig, fault.code, (int)(fault.eip - (u32)two), (int)(fault.addr - (u32)two), fault.err);
    mprotect(two + 4096, 4096, PROT_READ | PROT_EXEC); check(call(two + 4000) == 2, "executable again");
    mprotect(two, 8192, PROT_EXEC); check(call(two + 4000) == 2, "execute only");
    mprotect(two, 8192, 7);
    mmap(two + 4096, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); mov_eax_ret(two + 4096, 3); check(call(two + 4000) == 3, "second page remapped");
    munmap(two, 4096); r = some_regs; run(two + 4000, &r); say("first page gone: signal %d eip %+d", fault.sig, (int)(fault.eip - (u32)two));
    u8 *moved = mremap(two + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, two); check(moved == two && call(two) == 3, "moved code");
    r = some_regs; run(two + 4096, &r); say("old place: signal %d eip %+d", fault.sig, (int)(fault.eip - (u32)two));
    madvise(two, 4096, MADV_DONTNEED); r = some_regs; r.eax = (u32)two;
    run(two, &r); say("after MADV_DONTNEED (add %%al,(%%eax) until the page end): signal %d eip %+d", fault.sig, (int)(fault.eip - (u32)two));
    say("pages");
}

static void by_kernel(void)
{
    int fd = memfd_create("code", 0), pipes[2]; u8 code[16]; pipe(pipes);
    u8 *p = page + 3072;
    for (u32 i = 0; i < 30; i++) {
        mov_eax_ret(p, 1); call(p);
        mov_eax_ret(code, i * 3);
        switch (i % 4) {
        case 0: pwrite(fd, code, 6, 0); check(pread(fd, p, 6, 0) == 6, "pread into code"); break;
        case 1: write(pipes[1], code, 6); check(read(pipes[0], p, 6) == 6, "read from a pipe into code"); break;
        case 2: { write(pipes[1], code, 6); struct iovec v[2] = { { p, 2 }, { p + 2, 4 } }; check(readv(pipes[0], v, 2) == 6, "readv into code"); break; }
        default: { struct iovec l = { code, 6 }, r = { p, 6 }; check(process_vm_writev(getpid(), &l, 1, &r, 1, 0) == 6, "process_vm_writev into code"); break; }
        }
        check(call(p) == i * 3, "stale after kind %u", i % 4);
    }
    /* fork copies: child's change stays the child's */
    mov_eax_ret(p, 50); call(p);
    pid_t c = fork(); if (!c) { mov_eax_ret(p, 51); _exit(call(p) == 51 ? 0 : 1); }
    int st; waitpid(c, &st, 0); check(st == 0 && call(p) == 50, "private after fork");
    say("by the kernel");
}

static void guest_protection(void)
{
    /* the guest's own write protection and handler on its code page still work */
    u8 *p = page + 8192; mov_eax_ret(p, 1); call(p);
    mprotect(page + 8192, 4096, PROT_READ | PROT_EXEC);
    fault_hook = note_hook; seen = 0;
    *(volatile u8 *)(p + 1) = 9;
    check(seen == 1, "handler ran %u times", seen); check(call(p) == 9, "store went through after the handler");
    seen = 0; *(volatile u8 *)(p + 1) = 10; check(seen == 0 && call(p) == 10, "no handler for a writable page (%u)", seen);
    fault_hook = 0;
    /* data beside code on one page: many writes */
    volatile u32 *data = (u32 *)(p + 2048);
    mov_eax_ret(p, 4); u32 sum = 0;
    for (u32 i = 0; i < 20000; i++) { data[i & 63] = i; sum += call(p) + data[(i + 1) & 63]; }
    say("data beside code %u", sum);
    /* code on the stack */
    u8 local[64]; mprotect((void *)((u32)local & ~4095), 8192, 7);
    for (u32 i = 0; i < 500; i++) { mov_eax_ret(local, i); check(call(local) == i, "code on the stack"); }
    say("stack code");
}

int main(void)
{
    insn_start();
    page = mmap(0, 16384, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    patch_next(); loops(); pages(); by_kernel(); guest_protection();
    return finish();
}
