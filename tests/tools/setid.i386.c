/* setid - says with which privileges it runs and what of its environment it trusts: a set-uid guest of the container tests.
 *
 * usage: setid [VARIABLE…]      prints user and group ids, AT_SECURE, and the named variables as the C library's secure_getenv gives them
 *        setid --wait           prints "ready" and its ids, then waits for the end of its standard input
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;
    if (getresuid(&r, &e, &s) || getresgid(&rg, &eg, &sg)) return 1;
    printf("uid %d %d %d gid %d %d %d secure %lu", r, e, s, rg, eg, sg, getauxval(AT_SECURE));
    if (argc == 2 && !strcmp(argv[1], "--wait")) {
        char end;
        printf(" pid %d\n", getpid());
        fflush(stdout);
        return read(0, &end, 1) != 0;
    }
    for (int i = 1; i < argc; i++) {
        const char *value = secure_getenv(argv[i]);
        printf(" %s=%s", argv[i], value ? value : "(none)");
    }
    puts("");
    return 0;
}
