/* Guests started by programs of the host: a 64-bit shell between two guests, a script run by it, a pipeline of guests, env, xargs. */
#include "guest.h"
static char me[4096];

static int reporter(int argc, char **argv)
{
    char exe[4096]; int n = readlink("/proc/self/exe", exe, 4095); exe[n > 0 ? n : 0] = 0;
    const char *name = argv[0][0] == '/' ? strrchr(argv[0], '/') + 1 : argv[0];
    printf("  reporter: argc %d argv0 '%s' last '%s' exe %s\n", argc, name, argc > 1 ? argv[argc - 1] : "", !strcmp(exe, me) ? "me" : exe);
    fflush(stdout);
    return 7;
}

static void shell(const char *command)
{
    char text[9000]; int st;
    setenv("LODGE_REPORT", "1", 1);                /* what the shell starts is never main again */
    printf("%s\n", command); fflush(stdout);
    snprintf(text, sizeof text, "me='%s'; %s", me, command);
    pid_t c = fork();
    if (!c) { execl("/bin/sh", "sh", "-c", text, (char *)0); _exit(126); }
    waitpid(c, &st, 0); say("  status %x", st);
}

int main(int argc, char **argv)
{
    int n = readlink("/proc/self/exe", me, 4095); me[n > 0 ? n : 0] = 0;
    if (argc != 1 || getenv("LODGE_REPORT")) return reporter(argc, argv);
    shell("$me one"); shell("exec $me 'two words'"); shell("$me a | cat; $me b | (read x; echo \"got $x\")"); shell("$me x || $me y"); shell("exec $me"); shell("env X=1 $me"); shell("echo 1 2 3 | xargs -n1 $me");
    shell("echo \"#!$me arg\" > script; chmod 755 script; ./script end"); shell("(exec -a other $me z) 2> /dev/null || $me z"); shell("$me & wait $!; echo $?"); shell("x=$($me in-a-variable); echo \"$x\"");
    return finish();
}
