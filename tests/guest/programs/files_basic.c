/* Files: opening, reading, positions, sizes over 2 and 4 GiB, attributes, links, locks, copying between descriptors. */
#include "guest.h"
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <sys/time.h>
#include <utime.h>

struct old_stat { u16 dev, pad1; u32 ino; u16 mode, nlink, uid, gid, rdev, pad2; u32 size, blksize, blocks, atime, an, mtime, mn, ctime, cn, u4, u5; };
#define R(x) say("%-46s %ld", #x, (long)kernel_result(x))
#define RS(...) say("%-46s %ld", #__VA_ARGS__, raw(__VA_ARGS__))

int main(void)
{
    umask(022);
    char *f = scratch("file"), *g = scratch("other"), *d = scratch("dir"), buf[200]; struct stat st; struct stat64 s64; int fd, e;
    fd = open64(f, O_CREAT | O_EXCL | O_RDWR, 0640); check_errno(fd >= 0, "create");
    R(open(f, O_CREAT | O_EXCL | O_RDWR, 0640)); R(open("/nonexistent/x", O_RDONLY)); R(open("", O_RDONLY)); R(open(f, O_DIRECTORY)); R(open("/", O_WRONLY)); R(openat(-5, "x", 0)); R(openat(fd, "x", 0));
    R(write(fd, "hello world", 11)); R(lseek(fd, 0, SEEK_CUR)); R(lseek(fd, -5, SEEK_END)); memset(buf, 0, 20); R(read(fd, buf, 100)); say("read '%s'", buf);
    R(lseek(fd, -1, SEEK_SET)); R(lseek(fd, 0, 77)); R(pread(fd, buf, 5, 6)); R(pread64(fd, buf, 5, 0x100000000LL)); RS(SYS_pread64, fd, buf, 5, -1, -1); R(pwrite(fd, "HELLO", 5, 0)); R(lseek(fd, 0, SEEK_CUR));
    struct iovec v[3] = { { "abc", 3 }, { "", 0 }, { "defg", 4 } }; R(writev(fd, v, 3)); R(writev(fd, v, -1)); R(writev(fd, v, 2000)); R(pwritev(fd, v, 3, 100)); RS(SYS_preadv, fd, v, 0, 0, 0); RS(SYS_preadv2, fd, v, 0, -1, -1, 0);
    R(fstat64(fd, &s64)); say("mode %o size %lld nlink %d", s64.st_mode, (long long)s64.st_size, (int)s64.st_nlink); R(stat(f, &st)); say("ino equal %d", st.st_ino == (ino_t)s64.st_ino);
    struct old_stat os; RS(SYS_stat, f, &os); say("old stat mode %o size %u", os.mode, os.size); RS(106, f, &os); RS(108, fd, &os); RS(18, f, &os);
    struct statx sx; R(statx(AT_FDCWD, f, 0, STATX_ALL, &sx)); say("statx %o %llu", sx.stx_mode, (unsigned long long)sx.stx_size); R(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &sx)); R(statx(fd, "", 0, STATX_SIZE, &sx)); R(statx(AT_FDCWD, f, 0x8000, 0, &sx));
    R(ftruncate(fd, 5)); R(truncate(f, -1)); R(ftruncate64(fd, 0x123456789LL)); R(fstat64(fd, &s64)); say("size %llx", (long long)s64.st_size);
    /* beyond 2 GiB, seen by 32-bit calls */
    e = fstat(fd, &st); say("fstat %d", e ? -errno : 0); RS(SYS_stat, f, &os); RS(106, f, &os); R(lseek(fd, 0, SEEK_END)); long long pos; RS(SYS__llseek, fd, 1, 0x80000000, &pos, SEEK_SET); say("pos %llx", pos); R(lseek(fd, 0, SEEK_CUR)); RS(SYS__llseek, fd, -1, -1, &pos, SEEK_SET); RS(SYS__llseek, fd, 0, 0, &pos, 9);
    R(write(fd, "far", 3)); R(pread64(fd, buf, 3, 0x180000000LL)); say("%.3s", buf);
    int small = raw(SYS_open, f, O_RDWR); say("open without O_LARGEFILE %d", small < 0 ? small : 0); RS(SYS_openat, AT_FDCWD, f, O_RDONLY); R(truncate64(f, 0x7fffffff)); small = raw(SYS_open, f, O_RDWR); check(small >= 0, "open %d", small);
    R(pwrite64(fd, "xy", 2, 0x7fffffff)); R(ftruncate(fd, 100)); R(fallocate64(fd, 0, 0, 0x200000000LL) == 0 ? 0 : 0); RS(SYS_fallocate, fd, 0, 0, 0, 100, 0); RS(SYS_fallocate, fd, 0, -1, -1, 0, 0); RS(SYS_fallocate, fd, 99, 0, 0, 1, 0);
    R(ftruncate(fd, 4096)); R(posix_fadvise64(fd, 0, 0x100000000LL, POSIX_FADV_DONTNEED)); R(posix_fadvise(fd, 0, 10, 99)); RS(SYS_sync_file_range, fd, 0, 0, 4096, 0, 2); R(fsync(fd)); R(fdatasync(fd)); RS(SYS_readahead, fd, 0, 0, 4096); RS(SYS_syncfs, -1);
    R(lseek64(fd, 0, SEEK_DATA) >= 0 ? 0 : -1); R(lseek64(fd, 1 << 30, SEEK_HOLE));
    /* attributes and names */
    R(chmod(f, 04751)); R(stat64(f, &s64)); say("%o", s64.st_mode); R(fchmod(fd, 0600)); R(fchmodat(AT_FDCWD, f, 0644, 0)); R(access(f, R_OK)); R(access(f, 8)); R(faccessat(AT_FDCWD, f, X_OK, AT_EACCESS) ? 1 : 0); R(chown(f, -1, -1)); RS(SYS_chown, f, 0xffff, 0xffff); RS(SYS_fchown32, fd, -1, -1); RS(SYS_lchown, f, -1, -1);
    R(link(f, g)); R(link(f, g)); R(stat64(f, &s64)); say("nlink %d", (int)s64.st_nlink); R(unlink(g)); R(symlink("file", g)); R(readlink(g, buf, 200)); R(readlink(g, buf, 2)); R(readlink(f, buf, 10)); R(readlink(g, buf, 0)); R(lstat64(g, &s64)); say("%o", s64.st_mode); R(rename(g, scratch("renamed"))); RS(SYS_renameat2, AT_FDCWD, f, AT_FDCWD, scratch("renamed"), 1); RS(SYS_renameat2, AT_FDCWD, f, AT_FDCWD, scratch("renamed"), 2); RS(SYS_renameat2, AT_FDCWD, scratch("renamed"), AT_FDCWD, f, 2); RS(SYS_renameat2, AT_FDCWD, f, AT_FDCWD, f, 64);
    R(mkdir(d, 0777)); R(mkdir(d, 0777)); R(rmdir(d)); R(mkdir(d, 01700)); R(stat64(d, &s64)); say("%o", s64.st_mode); R(unlink(d)); R(rmdir(f)); R(mknod(scratch("fifo"), S_IFIFO | 0600, 0)); R(unlinkat(AT_FDCWD, d, AT_REMOVEDIR)); R(unlinkat(AT_FDCWD, d, 77)); R(chdir("/nonexistent")); R(chdir(f)); R(fchdir(fd));
    struct timespec ts[2] = { { 1000000000, 123456789 }, { 0, UTIME_OMIT } }; R(utimensat(AT_FDCWD, f, ts, 0)); R(stat64(f, &s64)); say("atime %lld.%09ld", (long long)s64.st_atim.tv_sec, s64.st_atim.tv_nsec); ts[1].tv_nsec = 2000000000; R(utimensat(AT_FDCWD, f, ts, 0)); struct utimbuf ub = { 5, 7 }; RS(SYS_utime, f, &ub); R(stat64(f, &s64)); say("times %ld %ld", (long)s64.st_atime, (long)s64.st_mtime); struct timeval tv[2] = { { 9, 500000 }, { 11, 1000000 } }; R(utimes(f, tv)); tv[1].tv_usec = 7; RS(SYS_utimes, f, tv); RS(SYS_futimesat, AT_FDCWD, f, tv); R(stat64(f, &s64)); say("%ld.%06ld", (long)s64.st_atime, s64.st_atim.tv_nsec / 1000);
    struct { int t[4]; } t64 = { { 0 } }; long long t8[4] = { 0x100000001LL, 5, 0x1ffffffffLL, 6 }; (void)t64; RS(SYS_utimensat_time64, AT_FDCWD, f, t8, 0); RS(SYS_stat64, f, &s64); R(statx(AT_FDCWD, f, 0, STATX_ALL, &sx)); say("atime %lld", (long long)sx.stx_atime.tv_sec);
    /* descriptors */
    int d2 = fcntl(fd, F_DUPFD, 50); say("dupfd %d", d2); R(dup2(fd, 60)); R(dup2(fd, fd)); R(dup3(fd, fd, 0)); R(dup3(fd, 61, O_CLOEXEC)); say("cloexec %d %d", fcntl(61, F_GETFD), fcntl(60, F_GETFD)); R(fcntl(62, F_GETFD)); R(fcntl(fd, 9999)); R(fcntl(fd, F_DUPFD_CLOEXEC, 70)); R(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK)); say("fl %o", fcntl(fd, F_GETFL) & ~0100000); R(fcntl(fd, F_SETFL, 0)); R(close(60)); R(close(60)); RS(SYS_close_range, 61, 75, 0); R(fcntl(61, F_GETFD)); RS(SYS_close_range, 9, 8, 0);
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20 }; R(fcntl(fd, F_SETLK, &l)); struct flock64 l64 = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x100000000LL, .l_len = 5 }; R(fcntl64(fd, F_SETLK64, &l64));
    fflush(stdout); pid_t c = fork(); if (!c) { struct flock q = { .l_type = F_WRLCK, .l_whence = SEEK_SET }; R(fcntl(fd, F_GETLK, &q)); say("lock %d %ld %ld owner %d", q.l_type, (long)q.l_start, (long)q.l_len, q.l_pid == getppid()); q = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 40 }; e = raw(SYS_fcntl, fd, F_GETLK, &q); say("lock beyond 32 bits for the old call %d", e); struct flock64 q64 = { .l_type = F_WRLCK, .l_start = 100 }; R(fcntl64(fd, F_GETLK64, &q64)); say("%d %llx %lld", q64.l_type, (long long)q64.l_start, (long long)q64.l_len); R(fcntl(fd, F_SETLK, &l)); R(flock(fd, LOCK_EX | LOCK_NB)); _exit(0); } waitpid(c, 0, 0);
    l64 = (struct flock64){ .l_type = F_WRLCK, .l_start = 0, .l_len = 0 }; R(fcntl64(fd, F_OFD_SETLK, &l64)); R(flock(fd, 99)); R(flock(fd, LOCK_UN));
    int p[2]; R(pipe(p)); R(pipe2(p, 0x12345)); R(fcntl(p[1], F_GETPIPE_SZ)); R(lseek(p[0], 0, SEEK_CUR)); R(pread(p[0], buf, 1, 0)); R(pwrite64(fd, "0123456789", 10, 0)); off_t o = 2; R(sendfile(p[1], fd, &o, 4)); say("offset %ld", (long)o); off64_t o64 = 1; R(sendfile64(p[1], fd, &o64, 3)); loff_t in = 5; R(splice(fd, &in, p[1], 0, 3, 0)); int p2[2]; R(pipe(p2)); R(tee(p[0], p2[1], 4, 0)); memset(buf, 0, 20); R(read(p[0], buf, 20)); say("%s", buf); R(read(p2[0], buf, 2)); loff_t in2 = 0, out2 = 2000; R(copy_file_range(fd, &in2, fd, &out2, 10, 0)); say("%lld %lld", (long long)in2, (long long)out2); struct iovec vm = { "vms", 3 }; R(vmsplice(p[1], &vm, 1, 0));
    R(setxattr(f, "user.lodge", "value", 5, 0)); R(getxattr(f, "user.lodge", buf, 200)); R(getxattr(f, "user.none", buf, 200)); R(listxattr(f, 0, 0) > 0); R(removexattr(f, "user.lodge")); struct statfs sf; struct statfs64 sf64; R(statfs("/proc", &sf)); say("type %lx name %ld", (long)sf.f_type, (long)sf.f_namelen); RS(SYS_statfs64, "/proc", sizeof sf64, &sf64); RS(SYS_statfs64, "/proc", 80, &sf64); RS(SYS_fstatfs64, fd, 84, &sf64); RS(SYS_fstatfs, 999, &sf); RS(SYS_ustat, 0, buf);
    R(ioctl(fd, 0x1234)); R(umask(077)); R(umask(022)); R(creat(scratch("x/y"), 0600)); char longname[300]; memset(longname, 'a', 299); longname[299] = 0; R(open(longname, 0)); char *deep = malloc(5000); memset(deep, '/', 4999); deep[4999] = 0; R(open(deep, 0)); R(acct("/nonexistent") == -1); R(chroot("/nonexistent")); int dir = open(".", O_RDONLY | O_DIRECTORY); R(read(dir, buf, 10)); R(openat(dir, "../nonexistent", 0)); struct { u64 flags, mode, resolve; } how = { 0, 0, 8 }; RS(SYS_openat2, dir, "/etc", &how, sizeof how); RS(SYS_openat2, dir, "x", &how, 5); RS(SYS_openat2, dir, "../..", &how, sizeof how);
    RS(SYS_name_to_handle_at, AT_FDCWD, f, buf, buf, 99); RS(SYS_faccessat2, AT_FDCWD, f, 0, 0x1000); RS(SYS_inotify_add_watch, fd, f, 1); RS(SYS_truncate64, f, 0, 1); RS(SYS_getcwd, buf, 2); RS(SYS_getcwd, 0, 0);
    return finish();
}
