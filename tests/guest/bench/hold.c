/* hold - a guest that is there until its standard input ends.
 *
 * usage: hold [ioctl NUMBER | exec PROGRAM ARGS…] …
 *
 *   ioctl NUMBER       makes this ioctl on standard input and prints its errno
 *   exec PROGRAM ARGS  becomes PROGRAM
 *
 * Prints "ready" and waits; exits with status 7. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "exec")) {
            execv(argv[i + 1], argv + i + 1);
            return 1;
        }
        int result = ioctl(0, strtoul(argv[i + 1], NULL, 0), 0);
        printf("ioctl %s: %d\n", argv[i + 1], result < 0 ? errno : 0);
    }
    puts("ready");
    fflush(stdout);
    char c;
    while (read(0, &c, 1) > 0) ;
    return 7;
}
