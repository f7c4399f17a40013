/* Processes that share their memory with one that generates much code (LODGE_CODE_CACHE=1M): one is killed in the middle of its loop, one
 * executes another program, one ends by itself, one goes on. Nobody waits for them before all the code has run. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/wait.h>

enum { SIZE = 1 << 20, PIECE = 512, ROUNDS = 6 };
static volatile unsigned turns[4], stop;
static int looper(void *arg) { unsigned i = (unsigned)arg; while (!stop && turns[i] != 0x7fffffff) turns[i]++; _exit(20 + i); }
static int executer(void *arg) { turns[1]++; execl("/bin/true", "true", (char *)0); _exit(9); }
static int ender(void *arg) { turns[2]++; _exit(7); }

static unsigned generate(unsigned round)
{
    static unsigned char *code; unsigned sum = 0;
    if (!code) code = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(code, SIZE, PROT_READ | PROT_WRITE);
    for (unsigned f = 0; f < SIZE / PIECE; f++) {
        unsigned char *p = code + f * PIECE; u32 v = f * 3 + round;
        *p++ = 0xb8; memcpy(p, &v, 4); p += 4;
        while (p < code + f * PIECE + PIECE - 8) { *p++ = 0x05; v = round + f; memcpy(p, &v, 4); p += 4; *p++ = 0x90; }
        *p = 0xc3;
    }
    mprotect(code, SIZE, PROT_READ | PROT_EXEC);
    for (unsigned f = 0; f < SIZE / PIECE; f++) sum = sum * 5 + ((unsigned (*)(void))(code + f * PIECE))();
    return sum;
}

int main(void)
{
    static char stacks[4][65536] __attribute__((aligned(16)));
    int (*what[4])(void *) = { looper, executer, ender, looper };
    pid_t c[4]; int st;
    for (int i = 0; i < 4; i++) c[i] = clone(what[i], stacks[i] + sizeof stacks[i], CLONE_VM | SIGCHLD, (void *)i);
    for (int i = 0; i < 4; i++) while (!turns[i]) sched_yield();
    say("before %08x", generate(0));
    kill(c[0], SIGKILL);
    for (unsigned r = 1; r < ROUNDS; r++) say("round %u %08x", r, generate(r));
    unsigned t = turns[3]; while (turns[3] == t) sched_yield();
    stop = 1;
    for (int i = 0; i < 4; i++) { waitpid(c[i], &st, 0); say("process %d: %x", i, st); }
    return finish();
}
