/* Code entered at every one of its instructions after it has run from the start: what lies before must not matter. */
#include "insn.h"

u32 stack_at, words[8], counter;
extern char piece[], after[];

/* Each P is an entry; instructions differ in how they are translated: stack pointer moved or not, flags wanted or not, byte registers
 * beside stack operands, expansions, a loop, calls with their landings, branches over entries. */
#define P "\n 777: .pushsection .rodata; .long 777b; .popsection\n"
__asm__(".pushsection .rodata\n.p2align 2\nentries:\n.popsection\n.text\n.p2align 4\npiece:\n"
    "movl %esp, stack_at\n"
    P "pushl %eax" P "pushl %ecx" P "subl $24, %esp" P "movl %edx, 8(%esp)" P "addl %ecx, %eax" P "adcl $3, 8(%esp)"
    P "movb %ah, 4(%esp)" P "movb 4(%esp), %dh" P "pushf" P "popl %ebx" P "andl $0x8d5, %ebx" P "pushl $0x41" P "popf" P "setcb %cl"
    P "leal 4(%esp), %esp" P "leal -4(%esp), %esp" P "addl $4, %esp" P "incl %esi" P "cmpl $5, %esi" P "jne 1f" P "decl %edi" P "1: rcll $1, %edi"
    P "movl $3, %ecx" P "2: addl %ecx, counter" P "loop 2b" P "call 5f" P "addl $7, %eax" P "jnc 3f" P "notl %eax" P "3: pushl %ebp" P "movl %esp, %ebp"
    P "subl $16, %esp" P "movl %eax, -8(%ebp)" P "leave" P "call 5f" P "adcl %eax, %edx" P "xchgb %dh, words" P "leal words, %ebx" P "movl $words+16, (%ebx)" P "pushl (%ebx)"
    P "popl 4(%ebx)" P "bswap %edx" P "testl %edx, %edx" P "js 4f" P "xorl $0x55, %edx" P "4: sarl $3, %edx" P "pushal\n popal" P "stc" P "cmc"
    "\n movl stack_at, %esp\n ret\nafter:\n"
    "5: incl counter\n cmpl $2, counter\n ret\n"
    ".pushsection .rodata\n.long 0\n.popsection\n");
extern const u32 entries[];

static void one(u32 at, int round)
{
    struct regs r = some_regs;
    r.esi = 4 + round; r.ebx = (u32)words; r.ecx = 0x1234 + round; r.ebp = (u32)words + 28; r.eflags |= round & 1 ? CF : 0;
    counter = 0; memset(words, 0x5a, sizeof words);
    /* sets stack_at, too: both runs find the same stack */
    run(piece, &(struct regs){ .ebx = (u32)words, .ebp = (u32)words + 28, .eflags = 0x202 });
    counter = 0; memset(words, 0x5a, sizeof words);
    int sig = run((void *)at, &r);
    say("+%x/%d: signal %d eax %x ecx %x edx %x ebx %s ebp %s esi %x edi %x flags %s counter %u words %x", at - (u32)piece, round, sig, r.eax, r.ecx, r.edx,
        where(r.ebx, piece), where(r.ebp, piece), r.esi, r.edi, flag_names(r.eflags), counter, words[1] == (u32)words + 16);
}

int main(void)
{
    insn_start();
    for (int round = 0; round < 3; round++) {
        unsigned n = 0;
        while (entries[n]) n++;
        /* backwards, forwards, then every third */
        if (round == 0) for (unsigned i = n; i-- > 0;) one(entries[i], round);
        else for (unsigned i = 0; i < n; i += round == 1 ? 1 : 3) one(entries[i], round);
    }
    return finish();
}
