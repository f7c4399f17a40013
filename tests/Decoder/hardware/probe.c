// Asks the CPU itself, in 32-bit mode, whether bytes are an instruction and how long it is.
// stdin: records of 16 bytes (expected length, then 15 code bytes); stdout: two bytes each (verdict, length).
//   verdict 0: the CPU decoded it (it ran, or faulted for another reason than #UD); 1: #UD; 2: #GP although nothing was accessed is
//   not told apart from 0. length: bytes consumed until then; 0 = more than 15.
// How: the code is laid against the end of a page whose successor cannot be fetched. As long as the fault is a fetch there with EIP still at
// the first byte, the CPU wanted more. All registers, ESP included, are zero, and the caller gives no displacements, so that memory operands fault.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned char *page, *limit;
static volatile uint32_t fault_signal, fault_address, fault_eip;
uint32_t saved_esp, entry;
extern char recover[];
static uint16_t seg_ds, seg_es, seg_fs, seg_gs, seg_ss;

static void handler(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    fault_signal = number;
    fault_address = (uint32_t)info->si_addr;
    fault_eip = g[REG_EIP];
    g[REG_EIP] = (greg_t)recover;
    g[REG_ESP] = saved_esp;
    g[REG_EFL] = 0x202;
    g[REG_DS] = seg_ds;
    g[REG_ES] = seg_es;
    g[REG_FS] = seg_fs;
    g[REG_GS] = seg_gs;
    g[REG_SS] = seg_ss;
}

__attribute__((noinline)) static void run(void) {
    __asm__ volatile(
        "pushal\n"
        "movl %%esp, saved_esp\n"
        "xorl %%eax, %%eax\n xorl %%ebx, %%ebx\n xorl %%ecx, %%ecx\n xorl %%edx, %%edx\n"
        "xorl %%esi, %%esi\n xorl %%edi, %%edi\n xorl %%ebp, %%ebp\n xorl %%esp, %%esp\n"
        "jmpl *entry\n"
        "recover:\n"
        "popal\n" ::: "memory", "cc");
}

/* 0 decoded, 1 #UD, 2 wanted more bytes */
static int attempt(const unsigned char *code, int n) {
    memcpy(limit - n, code, n);
    entry = (uint32_t)(limit - n);
    run();
    if (fault_signal == SIGSEGV && fault_eip == entry && fault_address == (uint32_t)limit)
        return 2;
    return fault_signal == SIGILL && fault_eip == entry;
}

int main(void) {
    static unsigned char stack[65536], in[16 * 4096], out[2 * 4096];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&ss, 0);
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    int signals[] = {SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS};
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &sa, 0);
    __asm__ volatile("movw %%ds, %0\n movw %%es, %1\n movw %%fs, %2\n movw %%gs, %3\n movw %%ss, %4"
                     : "=m"(seg_ds), "=m"(seg_es), "=m"(seg_fs), "=m"(seg_gs), "=m"(seg_ss));
    page = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    limit = page + 4096;
    mprotect(limit, 4096, PROT_NONE);
    size_t have = 0;
    for (ssize_t got; (got = read(0, in + have, sizeof in - have)) > 0;) {
        have += got;
        size_t records = have / 16;
        for (size_t i = 0; i < records; i++) {
            const unsigned char *r = in + 16 * i;
            /* The expected length first: right guesses need two attempts. */
            int n = r[0], verdict = attempt(r + 1, n);
            if (verdict == 2) {
                while (verdict == 2 && n < 15)
                    verdict = attempt(r + 1, ++n);
            } else {
                for (int v; n > 1 && (v = attempt(r + 1, n - 1)) != 2; n--)
                    verdict = v;
            }
            out[2 * i] = verdict;
            out[2 * i + 1] = verdict == 2 ? 0 : n;
        }
        for (size_t done = 0; done < 2 * records;)
            done += write(1, out + done, 2 * records - done);
        memmove(in, in + 16 * records, have - 16 * records);
        have -= 16 * records;
    }
    return 0;
}
