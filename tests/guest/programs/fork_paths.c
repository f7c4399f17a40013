/* Forked children that run what their parent never runs: the same in every round, other code at the same address, children of children. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/wait.h>

static unsigned char *page;

/* mov eax, value; ret: at the same address each time, never writable and executable at once. */
static void put(int value)
{
    if (page) munmap(page, 4096);
    unsigned char *at = mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (page ? MAP_FIXED : 0), -1, 0);
    if (at == MAP_FAILED) _exit(99);
    page = at;
    at[0] = 0xb8;
    memcpy(at + 1, &value, 4);
    at[5] = 0xc3;
    mprotect(at, 4096, PROT_READ | PROT_EXEC);
}

static int call(void) { return ((int (*)(void))page)(); }

static int in_child(int (*run)(int), int argument)
{
    pid_t c = fork();
    if (!c) _exit(run(argument) & 0xff);
    int st;
    waitpid(c, &st, 0);
    return WIFEXITED(st) ? WEXITSTATUS(st) : -WTERMSIG(st);
}

static int through_page(int x) { return call() + x; }

static int by_case(int x)
{
    switch (x % 7) {
    case 0: return x + 1;
    case 1: return x * 3;
    case 2: return x ^ 0x55;
    case 3: return 200 - x;
    case 4: { int s = 0; for (int i = 0; i <= x; i++) s += i; return s; }
    case 5: return strlen("forty-two") + x;
    default: return -x;
    }
}

static int deeper(int x)
{
    if (x == 0) return call();
    put(call() + 1);
    return in_child(deeper, x - 1);
}

static int unmapped(int x) { munmap(page, 4096); return call() + x; }

static void *forks_too(void *sum)
{
    for (int i = 0; i < 20; i++) *(int *)sum += in_child(by_case, i);
    return 0;
}

int main(void)
{
    for (int i = 0; i < 30; i++) {
        put(i);
        int r = in_child(through_page, 1);
        check(r == i + 1, "round %d: %d", i, r);
    }
    say("other code at the same address: done");
    int sum = 0;
    for (int i = 0; i < 60; i++) sum += in_child(by_case, i);
    say("cases: %d", sum);
    put(10);
    for (int i = 0; i < 4; i++) say("children of children: %d", in_child(deeper, i));
    for (int i = 0; i < 3; i++) say("code that is gone: %d", in_child(unmapped, i));
    say("still there: %d", call());
    int sums[4] = { 0 };
    pthread_t t[4];
    for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, forks_too, &sums[i]);
    for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
    say("threads that fork: %d %d %d %d", sums[0], sums[1], sums[2], sums[3]);
    return finish();
}
