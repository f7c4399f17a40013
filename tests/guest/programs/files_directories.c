/* Directories read by a 32-bit program: positions across dup, fork and reopening, old calls, small buffers; descriptors near the limit. */
#include "guest.h"
#include <dirent.h>
#include <sys/resource.h>
#include <sys/select.h>
#define R(x) say("%-46s %ld", #x, (long)kernel_result(x))
#define N 500

struct d64 { u64 ino; int64_t off; unsigned short reclen; unsigned char type; char name[]; };

static char buffer[4096] __attribute__((aligned(8)));

static int count_rest(int fd)
{
    int n = 0, r;
    while ((r = raw(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
        for (int o = 0; o < r; o += ((struct d64 *)(buffer + o))->reclen)
            n++;
    return r < 0 ? r : n;
}

int main(void)
{
    char *d = scratch("dir"), f[600];
    R(mkdir(d, 0700));
    for (int i = 0; i < N; i++) {
        snprintf(f, sizeof f, "%s/entry_with_some_name_%d", d, i);
        int e = open(f, O_CREAT | O_WRONLY, 0600);
        check_errno(e >= 0, "create");
        close(e);
    }
    int fd = open(d, O_RDONLY | O_DIRECTORY), wide = 0;
    int r = raw(SYS_getdents64, fd, buffer, 1024);
    int64_t off = 0;
    int taken = 0;
    for (int o = 0; o < r; o += ((struct d64 *)(buffer + o))->reclen) {
        struct d64 *x = (void *)(buffer + o);
        wide += x->off != (int32_t)x->off;
        off = x->off;
        taken++;
    }
    say("wide %d", wide);
    check(lseek(fd, 0, SEEK_CUR) == (off_t)off, "position after reading is the last d_off");
    int copy = dup(fd), again = open(d, O_RDONLY | O_DIRECTORY);
    check(lseek(copy, 0, SEEK_CUR) == (off_t)off, "a duplicate shares the position");
    check(lseek(again, (off_t)off, SEEK_SET) == (off_t)off, "another description takes the position");
    say("rest by another description %d", count_rest(again) + taken);
    pid_t child = fork();
    if (child == 0)
        _exit(count_rest(copy) + taken == N + 2 ? 0 : 1);
    int st;
    waitpid(child, &st, 0);
    say("rest read by a child %x", st);
    say("nothing left %d", count_rest(fd));
    check(lseek(fd, (off_t)off, SEEK_SET) == (off_t)off, "back from the end");
    say("rest again %d", count_rest(fd) + taken);
    R(lseek(fd, 0, SEEK_SET)); say("all %d", count_rest(fd));
    R(lseek(fd, 0, SEEK_END)); R(lseek(fd, -1, SEEK_SET)); long long big; R(raw(SYS__llseek, fd, 1, 0, &big, SEEK_SET));
    R(lseek(fd, 0, SEEK_SET)); R(raw(SYS_getdents, fd, buffer, 4)); R(raw(SYS_getdents, fd, 8, 1000)); R(raw(SYS_getdents, 999, buffer, 1000));
    R(raw(SYS_getdents64, fd, buffer, 8)); R(raw(SYS_getdents64, 0, 8, 100) < 0);
    DIR *dp = opendir(d);
    long seen[16]; char names[16][64]; int n = 0, k = 0;
    for (struct dirent *e; (seen[k & 15] = telldir(dp), e = readdir(dp)); n++)
        if (n % 40 == 0 && k < 15)
            snprintf(names[k++], 64, "%.63s", e->d_name);
    int wrong = 0;
    for (int i = k - 1; i >= 0; i--) {
        seekdir(dp, seen[i]);
        struct dirent *e = readdir(dp);
        wrong += !e || strcmp(e->d_name, names[i]);
    }
    say("seen %d wrong %d", n, wrong);
    closedir(dp);
    for (int i = 0; i < N; i++) {
        snprintf(f, sizeof f, "%s/entry_with_some_name_%d", d, i);
        unlink(f);
    }
    R(rmdir(d));

    /* every descriptor is the program's: close all, then use the highest numbers */
    struct rlimit limit;
    R(getrlimit(RLIMIT_NOFILE, &limit));
    close(fd); close(copy); close(again);
    R(raw(SYS_close_range, 3, ~0u, 0));
    int first = open("/dev/null", O_RDWR);
    say("lowest %d", first);
    limit.rlim_cur = limit.rlim_max < 2048 ? limit.rlim_max : 2048;
    R(setrlimit(RLIMIT_NOFILE, &limit));
    int failed = 0;
    for (int i = 1000; i < 1100; i++)
        failed += dup2(first, i) != i;
    for (int i = 1000; i < 1100; i++)
        failed += fcntl(i, F_GETFD) != 0;
    say("failed %d", failed);
    DIR *own = opendir("/proc/self/fd");
    int listed = 0;
    while (readdir(own))
        listed++;
    closedir(own);
    int odd = 0;
    for (int i = 3; i < 64; i++)
        odd += i != first && fcntl(i, F_GETFD) == 0;
    say("low strangers %d", odd);
    check(listed >= 100 + 2 + 4, "the descriptors are listed: %d", listed);
    static unsigned char sets[3][2048 / 8];
    sets[0][1099 / 8] |= 1 << (1099 % 8);
    sets[1][1050 / 8] |= 1 << (1050 % 8);
    struct timeval zero = { 0, 0 };
    R(raw(SYS__newselect, 1100, sets[0], sets[1], 0, &zero));
    R(raw(SYS__newselect, 1099, sets[0], sets[1], 0, &zero));
    return finish();
}
