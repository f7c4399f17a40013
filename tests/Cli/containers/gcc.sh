# The compiler and make: cc1, as, collect2 and ld as subprocesses, then what they made.
set -e
cd /tmp
cat > main.c <<'END'
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static void *body(void *p) { *(int *)p += 2; return p; }
int main(void)
{
    int n = 40, status;
    pthread_t t;
    pthread_create(&t, 0, body, &n);
    pthread_join(t, 0);
    pid_t child = fork();
    if (!child) { execl("/bin/sh", "sh", "-c", "exit 7", (char *)0); _exit(1); }
    waitpid(child, &status, 0);
    printf("%d %d, %u-bit\n", n, WEXITSTATUS(status), (unsigned)sizeof(void *) * 8);
}
END
printf 'main: main.o\n\t$(CC) -o $@ $^ -pthread\nmain.o: main.c\n\t$(CC) -O2 -Wall -c -o $@ $<\n' > Makefile
make -j2 CC=gcc
./main
