/* memory limits over fork and execve: what the child sees, and that a failed execve leaves nothing behind */
#include "guest.h"
#include <sys/resource.h>

static void show(const char *who)
{
    struct rlimit64 as, data;
    getrlimit64(RLIMIT_AS, &as); getrlimit64(RLIMIT_DATA, &data);
    say("%s: as %llx data %llx", who, (unsigned long long)as.rlim_cur, (unsigned long long)data.rlim_cur);
    say("%s: 400 MiB %s, 16 MiB %s", who, mmap(0, 400 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? "refused" : "given",
        mmap(0, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? "refused" : "given");
}

int main(int argc, char **argv)
{
    if (argc > 1) { show(argv[1]); return 0; }
    struct rlimit64 l;
    getrlimit64(RLIMIT_AS, &l);
    l.rlim_cur = 256 << 20;
    check_errno(setrlimit64(RLIMIT_AS, &l) == 0, "setrlimit");
    show("parent");
    for (int i = 0; i < 2; i++) {
        pid_t c = fork();
        if (!c) {
            if (i == 0) { show("forked"); _exit(0); }
            say("execve %ld", kernel_result(execl("/nonexistent", "x", (char *)0)));
            show("after a failed execve");
            execl(argv[0], argv[0], "executed", (char *)0);
            _exit(9);
        }
        int status; waitpid(c, &status, 0); say("status %x", status);
    }
    return finish();
}
