/* /proc/self/mem where nothing is mapped, and above the guest's memory. */
#include "guest.h"

int main(void)
{
    char b[4]; int fd = open64("/proc/self/mem", O_RDWR);
    static const u64 at[] = { 0x10000, 0x50000000, 0xffffe000, 0x100000000ull, 0x200000000ull, 0x7fff00000000ull };
    for (int i = 0; i < 6; i++) say("%llx: read %ld write %ld", (unsigned long long)at[i], kernel_result(pread64(fd, b, 4, at[i])), kernel_result(pwrite64(fd, b, 4, at[i])));
    return finish();
}
