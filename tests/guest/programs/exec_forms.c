/* execve in all its forms: scripts, descriptors, empty and huge argument lists, broken ELF files, what survives and what does not. */
#include "guest.h"
#include <elf.h>
#include <sys/resource.h>
#include <sys/time.h>
extern char **environ;
static char me[4096];

static const char *base(const char *s) { return *s == '/' ? strrchr(s, '/') + 1 : s; }
static int reporter(int argc, char **argv)
{
    char exe[4096]; int n = readlink("/proc/self/exe", exe, 4095); exe[n > 0 ? n : 0] = 0;
    printf("  reporter: argc %d argv0 '%s' last '%s' exe %s", argc, argc ? base(argv[0]) : "-", argc ? base(argv[argc - 1]) : "-", !strcmp(exe, me) ? "me" : strrchr(exe, '/') ? strrchr(exe, '/') + 1 : "?");
    char comm[32] = ""; int fd = open("/proc/self/comm", O_RDONLY); n = read(fd, comm, 31); if (n > 0) comm[n - 1] = 0; close(fd);
    char cmd[300] = ""; fd = open("/proc/self/cmdline", O_RDONLY); n = read(fd, cmd, 299); close(fd); for (int i = 0; i < n; i++) if (!cmd[i]) cmd[i] = '|';
    printf(" comm %s cmdline %.60s env %s\n", comm, cmd[0] == '/' && n > 60 ? strrchr(cmd, '/') : cmd, getenv("LODGE_CASE") ? getenv("LODGE_CASE") : "none"); fflush(stdout);
    return 7;
}

static int keeps(void)
{
    sigset_t m; sigprocmask(0, 0, &m); struct sigaction a[4]; sigaction(SIGUSR1, 0, &a[0]); sigaction(SIGUSR2, 0, &a[1]); sigaction(SIGSEGV, 0, &a[2]); sigaction(SIGCHLD, 0, &a[3]);
    struct itimerval v; getitimer(ITIMER_REAL, &v); stack_t ss; sigaltstack(0, &ss); struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); sigset_t p; sigpending(&p); char cwd[100]; getcwd(cwd, 100);
    printf("  keeps: mask %lx usr1 %d usr2 %d segv %d chld %d timer %d altstack %d nofile %lu fds %d%d%d pending %lx umask %o cwd %s nice %d\n", m.__val[0], (int)a[0].sa_handler, (int)a[1].sa_handler, (int)a[2].sa_handler, (int)a[3].sa_handler,
        v.it_value.tv_sec > 0, ss.ss_flags, (unsigned long)rl.rlim_cur, fcntl(200, F_GETFD) >= 0, fcntl(201, F_GETFD) >= 0, fcntl(202, F_GETFD) >= 0, p.__val[0], umask(0), cwd, getpriority(PRIO_PROCESS, 0)); fflush(stdout);
    return 0;
}

static int wait_for(pid_t c) { int st; waitpid(c, &st, 0); return st; }
#define TRY(what, call) do { printf("%s\n", what); fflush(stdout); pid_t c_ = fork(); if (!c_) { call; printf("  error %d %s\n", errno, strerrorname_np(errno)); fflush(stdout); _exit(99); } printf("  %s: status %x\n", what, wait_for(c_)); fflush(stdout); } while (0)
static void file(const char *path, const void *data, int n, int mode) { unlink(path); int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0700); write(fd, data, n); fchmod(fd, mode); close(fd); }
static u8 image[8192]; static int image_size;
static Elf32_Ehdr *eh = (void *)image; static Elf32_Phdr *ph = (void *)(image + 52);
/* a tiny good program: exit(5) */
static void good(void)
{
    memset(image, 0, sizeof image); image_size = 4096 + 64;
    memcpy(eh->e_ident, "\177ELF\1\1\1", 7); eh->e_type = ET_EXEC; eh->e_machine = EM_386; eh->e_version = 1; eh->e_entry = 0x8049000; eh->e_phoff = 52; eh->e_ehsize = 52; eh->e_phentsize = 32; eh->e_phnum = 1;
    ph->p_type = PT_LOAD; ph->p_offset = 4096; ph->p_vaddr = ph->p_paddr = 0x8049000; ph->p_filesz = ph->p_memsz = 64; ph->p_flags = 5; ph->p_align = 4096;
    memcpy(image + 4096, "\xbb\x05\0\0\0\xb8\x01\0\0\0\xcd\x80", 12);
}
static void elf(const char *what) { char *f = scratch("elf"); file(f, image, image_size, 0755); char *av[] = { f, 0 }; printf("elf: "); TRY(what, execv(f, av)); }
static void *other(void *x) { for (;;) pause(); return x; }
static void *execs(void *x) { execl(me, "from-thread", "report", (char *)0); return x; }

int main(int argc, char **argv)
{
    int n = readlink("/proc/self/exe", me, 4095); me[n > 0 ? n : 0] = 0;
    if (getenv("LODGE_KEEPS")) return keeps();
    if (argc != 1 || getenv("LODGE_REPORT") || getenv("LODGE_CASE")) return reporter(argc, argv);   /* never main again */
    char *av[] = { "name", "report", "x y", 0 }, *ev[] = { "LODGE_CASE=1", 0 }, *script = scratch("script"), *link_ = scratch("link");
    TRY("plain", execve(me, av, ev)); TRY("no environment", execve(me, av, 0)); char *no[] = { 0 }, *rep[] = { "LODGE_REPORT=1", 0 }; TRY("empty argv", execve(me, no, rep)); TRY("null argv", execve(me, 0, rep)); symlink(me, link_); TRY("through a link", execve(link_, av, ev)); TRY("/proc/self/exe", execve("/proc/self/exe", av, ev)); if (chdir(getenv("PROBE_DIR") ? getenv("PROBE_DIR") : ".")) return 9; TRY("relative", execve("link", av, ev)); TRY("execvp", (setenv("PATH", ".", 1), execvp("link", av)));
    int fd = open(me, O_RDONLY), fdc = open(me, O_RDONLY | O_CLOEXEC), fp = open(me, O_PATH); TRY("fexecve", syscall(SYS_execveat, fd, "", av, ev, AT_EMPTY_PATH)); TRY("fexecve cloexec", syscall(SYS_execveat, fdc, "", av, ev, AT_EMPTY_PATH)); TRY("O_PATH", syscall(SYS_execveat, fp, "", av, ev, AT_EMPTY_PATH)); TRY("execveat", syscall(SYS_execveat, AT_FDCWD, "link", av, ev, 0)); TRY("nofollow", syscall(SYS_execveat, AT_FDCWD, "link", av, ev, AT_SYMLINK_NOFOLLOW)); TRY("empty path", syscall(SYS_execveat, fd, "", av, ev, 0)); TRY("bad flag", syscall(SYS_execveat, fd, "", av, ev, 1)); TRY("bad fd", syscall(SYS_execveat, 99, "x", av, ev, 0));
    char text[600]; n = sprintf(text, "#!%s report a b\n", me); file(script, text, n, 0755); TRY("script", execve(script, av, ev)); n = sprintf(text, "#! \t %s\treport  \n", me); file(script, text, n, 0755); TRY("script with blanks", execve(script, av, ev)); n = sprintf(text, "#!%s", me); file(script, text, n, 0755); TRY("script without newline", execve(script, (char *[]){ "s", "report", 0 }, ev)); n = sprintf(text, "#!%s\n", link_); file(script, text, n, 0755); char *script2 = scratch("script2"); n = sprintf(text, "#!%s report2\n", script); file(script2, text, n, 0755); TRY("script of a script", execve(script2, av, ev)); n = sprintf(text, "#!/bin/sh\necho \"  sh: ${0##*/} $1\"\n"); file(script, text, n, 0755); TRY("sh script", execve(script, (char *[]){ "zero", "one", 0 }, ev)); memset(text, 'x', 500); memcpy(text, "#!/", 3); file(script, text, 500, 0755); TRY("interpreter too long", execve(script, av, ev)); file(script, "#!\n", 3, 0755); TRY("no interpreter", execve(script, av, ev)); file(script, "", 0, 0755); TRY("empty file", execve(script, av, ev)); file(script, "echo plain\n", 11, 0755); TRY("no magic", execve(script, av, ev)); n = sprintf(text, "#!%s\n", script); file(script, text, n, 0755); TRY("interpreter is itself", execve(script, av, ev)); int sfd; n = sprintf(text, "#!%s report\n", me); file(script, text, n, 0755); sfd = open(script, O_RDONLY); TRY("script by descriptor", syscall(SYS_execveat, sfd, "", av, ev, AT_EMPTY_PATH)); sfd = open(script, O_RDONLY | O_CLOEXEC); TRY("script by cloexec descriptor", syscall(SYS_execveat, sfd, "", av, ev, AT_EMPTY_PATH));
    TRY("missing", execve("/nonexistent", av, ev)); TRY("directory", execve("/", av, ev)); file(script, "x", 1, 0644); TRY("no permission", execve(script, av, ev)); TRY("not a directory", execve("/etc/passwd/x", av, ev)); TRY("null path", execve(0, av, ev)); TRY("bad argv", execve(me, (char **)8, ev)); TRY("bad argument", execve(me, (char *[]){ "a", (char *)8, 0 }, ev)); TRY("bad environment", execve(me, av, (char **)8)); char *big = malloc(131073); memset(big, 'a', 131072); big[131072] = 0; TRY("argument of 128 KiB", execve(me, (char *[]){ "a", "report", big, 0 }, ev)); big[131071] = 0; TRY("one less", (argv[0] = big, execve(me, (char *[]){ "a", "report", big, "end", 0 }, ev))); file(script, "x", 1, 0755); int w = open(script, O_WRONLY); TRY("busy text", execve(script, av, ev)); close(w); char longpath[5000]; memset(longpath, 'a', 4999); longpath[0] = '/'; longpath[4999] = 0; TRY("long path", execve(longpath, av, ev)); symlink("loop", "loop"); TRY("loop", execve("loop", av, ev)); TRY("host program", execl("/bin/echo", "echo", "  from echo", (char *)0));
    /* broken and odd images */
    good(); elf("good"); good(); image_size = 40; elf("shorter than its header"); good(); image_size = 60; elf("header only"); good(); eh->e_ident[4] = 2; elf("64-bit class"); good(); eh->e_ident[5] = 2; elf("big endian"); good(); eh->e_type = ET_REL; elf("relocatable"); good(); eh->e_type = ET_CORE; elf("core"); good(); eh->e_machine = 77; elf("other machine"); good(); eh->e_machine = 6; elf("486"); good(); eh->e_phnum = 0; elf("no segments"); good(); eh->e_phentsize = 31; elf("segment entry size"); good(); eh->e_phoff = 100000; elf("segment table outside"); good(); eh->e_phnum = 2000; elf("many segments"); good(); ph->p_filesz = 128; elf("file size larger than memory size"); good(); ph->p_memsz = 0x100; elf("bss"); good(); ph->p_offset = 4100; elf("misaligned"); good(); eh->e_entry = 0x70000000; elf("entry outside"); good(); ph->p_flags = 6; elf("no execute flag"); good(); ph->p_vaddr = 0xfffff000; elf("at the top"); good(); ph->p_memsz = 0xf8000000; elf("too large"); good(); ph->p_vaddr = 0; eh->e_entry = 0; elf("at zero") ; good(); ph->p_type = PT_NULL; elf("nothing to load"); good(); eh->e_ident[6] = 9; eh->e_version = 9; elf("version"); good(); ph->p_offset = 8192; elf("segment beyond the file");
    good(); eh->e_phnum = 2; ph[1] = (Elf32_Phdr){ .p_type = PT_INTERP, .p_offset = 200, .p_filesz = 13, .p_memsz = 13 }; strcpy((char *)image + 200, "/nonexistent"); elf("missing loader"); ph[1].p_filesz = 0; elf("loader without name"); ph[1].p_filesz = 12; elf("loader name not ended"); strcpy((char *)image + 200, "/etc/passwd"); ph[1].p_filesz = 12; elf("loader is text"); ph[1].p_filesz = 5000; elf("loader name too long"); good(); eh->e_type = ET_DYN; ph->p_vaddr = 0; eh->e_entry = 0; elf("position independent"); good(); eh->e_phnum = 2; ph[1] = ph[0]; ph[1].p_vaddr = 0x8050000; ph[1].p_memsz = 0x5000; ph[1].p_flags = 6; elf("two segments"); ph[1].p_vaddr = 0x8049000; elf("overlapping segments");
    /* what survives */
    fflush(stdout); pid_t c = fork(); if (!c) { sigset_t m; sigemptyset(&m); sigaddset(&m, SIGTERM); sigaddset(&m, SIGRTMIN); sigprocmask(SIG_BLOCK, &m, 0); raise(SIGTERM); signal(SIGUSR1, (void (*)(int))main); signal(SIGUSR2, SIG_IGN); signal(SIGSEGV, SIG_IGN); signal(SIGCHLD, SIG_IGN); struct itimerval v = { { 0, 0 }, { 100, 0 } }; setitimer(ITIMER_REAL, &v, 0); stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 }; sigaltstack(&ss, 0); struct rlimit rl = { 300, 400 }; setrlimit(RLIMIT_NOFILE, &rl); dup2(1, 200); dup3(1, 201, O_CLOEXEC); dup2(1, 202); fcntl(202, F_SETFD, 1); umask(031); chdir("/usr"); setpriority(PRIO_PROCESS, 0, 3); char *e[] = { "LODGE_KEEPS=1", 0 }; execve(me, av, e); _exit(98); } say("%x", wait_for(c));
    c = fork(); if (!c) { pthread_t t; pthread_create(&t, 0, other, 0); pthread_create(&t, 0, execs, 0); for (;;) pause(); } say("exec by a thread %x", wait_for(c)); c = vfork(); if (!c) { execve(me, av, ev); _exit(97); } say("vfork %x", wait_for(c)); c = fork(); if (!c) { for (int i = 0; i < 3; i++) { int p[2]; pipe(p); if (!fork()) { dup2(p[1], 1); close(p[0]); execve(me, av, ev); _exit(1); } close(p[1]); char b[1000]; int k = 0, r; while ((r = read(p[0], b + k, 999 - k)) > 0) k += r; b[k] = 0; printf("%s", b); } fflush(stdout); _exit(0); } say("%x", wait_for(c));
    return finish();
}
