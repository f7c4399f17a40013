/* The same program in every shape of executable: where its parts lie, relocations, constructors, thread-local storage, dlopen where there is one. */
#include "guest.h"
#include <dlfcn.h>
#include <elf.h>
#include <math.h>
#include <setjmp.h>
#include <locale.h>
#include <sys/auxv.h>
#include <wchar.h>
extern char __ehdr_start[], etext[], edata[], end[];
static int order[4], n_order; __attribute__((constructor(101))) static void first(void) { order[n_order++] = 1; } __attribute__((constructor(102))) static void second(void) { order[n_order++] = 2; } __attribute__((destructor)) static void last(void) { printf("destructor\n"); }
static int (*const table[])(const char *, ...) = { printf, (void *)puts }; static char *pointers[] = { "relocated", (char *)&n_order }; __thread int tls_var = 77; extern __thread int tls_var; static jmp_buf jb; static char big_bss[1 << 20]; static const int ro[] = { 1, 2, 3 };
static void at_exit(void) { printf("atexit\n"); }

int main(int argc, char **argv)
{
    Elf32_Ehdr *h = (void *)__ehdr_start; say("type %s", h->e_type == ET_EXEC ? "EXEC at its address" : "DYN"); say("%s", h->e_type == ET_EXEC ? ((u32)__ehdr_start & 0xfff00000) == 0x08000000 ? "at 0x08048000" : "elsewhere" : (u32)__ehdr_start > 0x40000000 ? "high" : "low"); say("constructors %d %d", order[0], order[1]); atexit(at_exit); table[0]("through a table\n"); say("%s %d", pointers[0], *(int *)pointers[1]); say("tls %d", tls_var++);
    memset(big_bss, 5, sizeof big_bss); say("bss %d", big_bss[sizeof big_bss - 1]); say("brk behind bss %d", (char *)sbrk(0) >= end); say("math %.10f %.10f", sin(1.0), pow(2.0, 0.5)); say("strings %s", strstr("a long enough string for vector code to be chosen", "vector")); if (!setjmp(jb)) longjmp(jb, 1); say("longjmp"); char b[400]; snprintf(b, 400, "%Lf %a %lld %zu", 1.5L, 0.1, 1LL << 40, sizeof(long)); say("%s", b); qsort(b, strlen(b), 1, (int (*)(const void *, const void *))memcmp); say("%p", (void *)0); setlocale(LC_ALL, "C.UTF-8"); say("wide %d", (int)wcslen(L"abc")); say("text is read only: %s", mprotect((void *)((u32)ro & -4096), 1, PROT_READ) ? "no" : "yes");
#ifndef STATIC
    { void *m = dlopen("libm.so.6", RTLD_NOW); double (*f)(double) = m ? (double (*)(double))dlsym(m, "cbrt") : 0; say("dlopen %.3f", f ? f(27) : -1); say("dlsym self %d", dlsym(RTLD_DEFAULT, "malloc") != 0); say("missing %d", dlopen("libnone.so", RTLD_NOW) == 0); }
#endif
    void *p[200]; for (int i = 0; i < 200; i++) { p[i] = malloc(i * 997 % 300000); if (p[i]) memset(p[i], i, i * 997 % 300000); } int good = 1; for (int i = 0; i < 200; i++) { if (i * 997 % 300000 && ((u8 *)p[i])[i * 997 % 300000 - 1] != (u8)i) good = 0; free(p[i]); } say("malloc %d", good); fflush(stdout); pid_t c = fork(); if (!c) { tls_var = 5; _exit(tls_var); } int st; waitpid(c, &st, 0); say("fork %x", st); return finish();
}
