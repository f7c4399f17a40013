/* A descriptor opened without O_LARGEFILE: what the kernel's compat layer refuses beyond 2 GiB, and what it does not. */
#include "guest.h"
#define R(x) say("%-46s %ld", #x, (long)kernel_result(x))

int main(void)
{
    char *f = scratch("file"); struct stat64 s;
    int fd = raw(SYS_open, f, O_CREAT | O_RDWR, 0600), large = open64(f, O_RDWR);
    say("flags %o %o", fcntl(fd, F_GETFL), fcntl(large, F_GETFL));
    R(ftruncate64(fd, 0x123456789LL)); R(ftruncate64(fd, 0x7fffffff)); R(pwrite64(fd, "xy", 2, 0x7ffffffe)); R(pwrite64(fd, "xy", 2, 0x7fffffff)); R(pwrite64(large, "xyz", 3, 0x7fffffff));
    R(pread64(fd, f, 2, 0x7fffffff)); R(lseek64(fd, 0x90000000LL, SEEK_SET) == 0x90000000LL); R(write(fd, "x", 1)); R(posix_fallocate64(fd, 0x80000000LL, 10)); R(fstat64(fd, &s)); say("size %llx", (long long)s.st_size);
    R(raw(SYS_open, f, O_RDONLY)); R(raw(SYS_openat, AT_FDCWD, f, O_RDONLY)); R(raw(SYS_creat, f, 0600) >= 0); R(truncate64(f, 0x180000000LL)); R(ftruncate64(large, 0x200000000LL)); R(fcntl(fd, F_SETFL, O_APPEND)); say("flags %o", fcntl(fd, F_GETFL));
    return finish();
}
