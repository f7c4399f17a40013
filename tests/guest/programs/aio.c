/* Kernel AIO (io_setup and family): contexts, reads and writes, vectors, event descriptors, time limits, errors, the ring in memory. */
#include "guest.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define R(call) say("%-60s %ld", #call, (long)(call))
static long io_setup(unsigned n, u32 *c) { return raw(SYS_io_setup, n, c); }
static long io_submit(u32 c, long n, struct iocb **p) { return raw(SYS_io_submit, c, n, p); }
static long io_getevents(u32 c, long min, long n, struct io_event *e, struct timespec *t) { return raw(SYS_io_getevents, c, min, n, e, t); }
static struct iocb make(int fd, int op, void *buf, u64 n, u64 off, u64 data) { return (struct iocb){ .aio_data = data, .aio_lio_opcode = op, .aio_fildes = fd, .aio_buf = (u32)buf, .aio_nbytes = n, .aio_offset = off }; }
static int order(const void *a, const void *b) { const struct io_event *x = a, *y = b; return x->data < y->data ? -1 : x->data > y->data; }

int main(void)
{
    u32 ctx = 0, second = 0, bad = 5; static char out[8192], in[8192], *low = (char *)8;
    for (int i = 0; i < 8192; i++) out[i] = i * 7;
    int fd = open(scratch("file"), O_CREAT | O_RDWR, 0600);
    R(io_setup(0, &ctx)); R(io_setup(-1, &ctx)); R(io_setup(10, &bad)); R(io_setup(10, (u32 *)low)); R(io_setup(64, &ctx) == 0 && ctx != 0 && ctx % 4096 == 0); R(io_setup(1000, &second) == 0 && second != ctx);
    /* the ring: number, capacity, head, tail, magic */
    u32 *ring = (u32 *)ctx; say("ring magic %x, room for 64 %d, head %u tail %u, header %u", ring[4], ring[1] >= 64, ring[2], ring[3], ring[7]);
    struct iocb w = make(fd, IOCB_CMD_PWRITE, out, 4096, 0, 11), w2 = make(fd, IOCB_CMD_PWRITE, out + 4096, 4096, 4096, 12), *list[4] = { &w, &w2 };
    struct io_event e[8]; memset(e, 0, sizeof e);
    R(io_submit(ctx, 2, list)); R(io_getevents(ctx, 2, 8, e, 0)); qsort(e, 2, sizeof *e, order);
    for (int i = 0; i < 2; i++) say("data %llu object %d result %lld %lld", e[i].data, e[i].obj == (u32)list[i], e[i].res, e[i].res2);
    struct iovec v[2] = { { in, 100 }, { in + 4096, 4000 } };
    struct iocb r = make(fd, IOCB_CMD_PREAD, in + 100, 3000, 100, 21), r2 = make(fd, IOCB_CMD_PREADV, v, 2, 0, 22), f = make(fd, IOCB_CMD_FSYNC, 0, 0, 0, 23); list[0] = &r; list[1] = &r2; list[2] = &f;
    int ev = eventfd(0, EFD_NONBLOCK); r2.aio_flags = IOCB_FLAG_RESFD; r2.aio_resfd = ev;
    R(io_submit(ctx, 2, list)); R(io_getevents(ctx, 2, 8, e, 0)); qsort(e, 2, sizeof *e, order);
    for (int i = 0; i < 2; i++) say("data %llu object %d result %lld", e[i].data, e[i].obj == (u32)list[i], e[i].res);
    say("vector unchanged %d %d, read %d %d", r2.aio_buf == (u32)v, r2.aio_nbytes == 2, memcmp(in, out, 100), memcmp(in + 100, out + 100, 3000)); u64 n = 0; R(read(ev, &n, 8)); say("events %llu", n);
    v[0] = (struct iovec){ out, 5 }; v[1] = (struct iovec){ out + 5, 7 }; struct iocb wv = make(fd, IOCB_CMD_PWRITEV, v, 2, 8192, 31); list[0] = &wv; R(io_submit(ctx, 1, list)); R(io_getevents(ctx, 1, 8, e, 0)); say("result %lld size %ld", e[0].res, (long)lseek(fd, 0, SEEK_END));
    /* time limits */
    struct timespec t = { 0, 20000000 }; R(io_getevents(ctx, 1, 8, e, &t)); t.tv_nsec = 0; R(io_getevents(ctx, 0, 8, e, &t)); R(io_getevents(ctx, 1, 8, e, (struct timespec *)low)); R(io_getevents(ctx, 2, 1, e, 0)); R(io_getevents(ctx, -1, 1, e, 0));
    long long t64[2] = { 0, 1000000 }; R(raw(416, ctx, 1, 8, e, t64, 0)); struct { u32 mask, size; } sig = { (u32)out, 8 }; R(raw(416, ctx, 0, 8, e, t64, &sig)); sig.size = 4; R(raw(416, ctx, 0, 8, e, t64, &sig)); t = (struct timespec){ 0, 1000 }; R(raw(385, ctx, 0, 8, e, &t, 0)); R(raw(416, ctx, 0, 8, e, t64, low));
    /* errors */
    list[0] = (struct iocb *)low; R(io_submit(ctx, 1, list)); R(io_submit(ctx, 1, (struct iocb **)low)); R(io_submit(ctx, 0, list)); R(io_submit(ctx, -1, list)); R(io_submit(ctx + 4096, 1, list)); R(io_submit(0, 1, list));
    list[0] = &r; list[1] = (struct iocb *)low; R(io_submit(ctx, 2, list)); R(io_getevents(ctx, 1, 8, e, 0)); struct iocb x = make(-1, IOCB_CMD_PREAD, in, 10, 0, 0); list[0] = &x; R(io_submit(ctx, 1, list)); x = make(fd, 99, in, 10, 0, 0); R(io_submit(ctx, 1, list)); x = make(fd, IOCB_CMD_PREADV, low, 2, 0, 0); R(io_submit(ctx, 1, list)); x = make(fd, IOCB_CMD_PREADV, v, 5000, 0, 0); R(io_submit(ctx, 1, list)); x = make(fd, IOCB_CMD_PREAD, low, 10, 0, 41); R(io_submit(ctx, 1, list)); R(io_getevents(ctx, 1, 8, e, 0)); say("result %lld", e[0].res);
    list[0] = &r; R(io_submit(ctx, 1, list)); R(io_getevents(ctx, 1, 8, (struct io_event *)low, 0));
    R(raw(SYS_io_cancel, ctx, &r, e)); R(raw(SYS_io_cancel, ctx + 8, &r, e)); R(raw(SYS_io_cancel, ctx, low, e));
    /* poll waits for a pipe, and is cancelled */
    int p[2]; pipe(p); struct iocb po = make(p[0], IOCB_CMD_POLL, (void *)1, 0, 0, 51); list[0] = &po; R(io_submit(second, 1, list)); t = (struct timespec){ 0, 1000000 }; R(io_getevents(second, 1, 8, e, &t)); write(p[1], "x", 1); R(io_getevents(second, 1, 8, e, 0)); say("data %llu result %lld", e[0].data, e[0].res);
    /* read into a page with code that has run */
    u8 *code = mmap(0, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); memcpy(code, "\xb8\x01\0\0\0\xc3", 6); int before = ((int (*)(void))code)(); pwrite(fd, "\xb8\x02\0\0\0\xc3", 6, 0); r = make(fd, IOCB_CMD_PREAD, code, 6, 0, 61); list[0] = &r; R(io_submit(ctx, 1, list)); R(io_getevents(ctx, 1, 8, e, 0)); say("code %d then %d", before, ((int (*)(void))code)());
    /* a child has memory of its own and no context */
    pid_t c = fork(); if (!c) { list[0] = &r; R(io_submit(ctx, 1, list)); _exit(0); } int st; waitpid(c, &st, 0);
    R(raw(SYS_io_destroy, second)); R(raw(SYS_io_destroy, second)); R(raw(SYS_io_destroy, ctx)); R(raw(SYS_io_destroy, 0)); say("gone: %d", (int)raw(SYS_mincore, ctx, 4096, in));
    return finish();
}
