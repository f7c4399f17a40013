# a signal-heavy program: timers at 10 kHz, queued real-time signals, faults mended by a handler, alternate stack, longjmp
cat > s.c <<'C'
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int ticks, queued, sum, faults; static char *area; static sigjmp_buf back; static volatile int children;
static void tick(int s) { ticks++; } static void rt(int s, siginfo_t *i, void *u) { queued++; sum += i->si_value.sival_int; }
static void segv(int s, siginfo_t *i, void *u) { if ((char *)i->si_addr < area || (char *)i->si_addr >= area + 4096 * 64) siglongjmp(back, 1); faults++; mprotect((void *)((long)i->si_addr & -4096), 4096, 3); }
static void chld(int s) { while (waitpid(-1, 0, WNOHANG) > 0) children++; }
int main(void) { stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 }; sigaltstack(&ss, 0); struct sigaction a = { .sa_handler = tick, .sa_flags = SA_RESTART }; sigaction(SIGALRM, &a, 0);
    struct itimerval v = { { 0, 100 }, { 0, 100 } }; setitimer(ITIMER_REAL, &v, 0); double x = 0; unsigned h = 1; while (ticks < 2000) for (int i = 0; i < 1000; i++) { x += 0.5; h = h * 31 + 7; }
    v = (struct itimerval){ { 0, 0 }, { 0, 0 } }; setitimer(ITIMER_REAL, &v, 0); printf("timer ticks: %s, arithmetic %s\n", ticks >= 2000 ? "all" : "few", x * 2 == (double)(long long)(x * 2) ? "exact" : "wrong");
    struct sigaction q = { .sa_sigaction = rt, .sa_flags = SA_SIGINFO }; sigaction(SIGRTMIN + 3, &q, 0); sigset_t set, old; sigemptyset(&set); sigaddset(&set, SIGRTMIN + 3); sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 500; i++) sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = i }); sigprocmask(SIG_SETMASK, &old, 0); printf("queued %d sum %d\n", queued, sum);
    struct sigaction f = { .sa_sigaction = segv, .sa_flags = SA_SIGINFO | SA_ONSTACK }; sigaction(SIGSEGV, &f, 0); area = mmap(0, 4096 * 64, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int r = 0; r < 50; r++) { for (int i = 0; i < 64; i++) area[i * 4096 + r] = r; mprotect(area, 4096 * 64, 0); } int jumps = 0; for (int i = 0; i < 1000; i++) if (sigsetjmp(back, 1)) jumps++; else *(volatile int *)8 = 1;
    printf("faults %d jumps %d\n", faults, jumps); struct sigaction c = { .sa_handler = chld, .sa_flags = SA_RESTART }; sigaction(SIGCHLD, &c, 0); for (int i = 0; i < 50; i++) if (!fork()) _exit(i); while (children < 50) usleep(1000); printf("children %d\n", children); return 0; }
C
gcc -O2 -w -o s s.c && ./s
