/* The x87 instruction and operand pointers as the different stores show them, 16-bit forms included. */
#include "insn.h"

u8 env[512] __attribute__((aligned(16)));
float f = 2;
static void show(const char *what, int wide)
{
    if (wide) say("%-12s cw %x sw %x tag %x ip %x cs %x op %x ds %x", what, *(u16 *)env, *(u16 *)(env + 4), *(u16 *)(env + 8), *(u32 *)(env + 12), *(u16 *)(env + 16), *(u32 *)(env + 20), *(u16 *)(env + 24));
    else say("%-12s cw %x sw %x tag %x ip %x cs %x op %x ds %x", what, *(u16 *)env, *(u16 *)(env + 2), *(u16 *)(env + 4), *(u16 *)(env + 6), *(u16 *)(env + 8), *(u16 *)(env + 10), *(u16 *)(env + 12));
    memset(env, 0xee, sizeof env);
}

int main(void)
{
    insn_start();
    for (int i = 0; i < 3; i++) {
        __asm__ volatile("fninit\n flds f\n fadds f\n fnstenv env\n fldenv env\n fstp %%st(0)" : : : "memory"); show("fnstenv", 1);
        __asm__ volatile("fninit\n flds f\n fadds f\n .byte 0x66\n fnstenv env\n fstp %%st(0)" : : : "memory"); show("fnstenv 16", 0);
        __asm__ volatile("fninit\n .byte 0x66\n fnstenv env" : : : "memory"); show("after init", 0);
        __asm__ volatile("fninit\n fld1\n fadd %%st(0), %%st\n .byte 0x66\n fnstenv env\n fstp %%st(0)" : : : "memory"); env[10] = env[11] = env[12] = env[13] = 0; show("registers", 0);
        __asm__ volatile("fninit\n flds f\n fnsave env" : : : "memory"); show("fnsave", 1);
    }
    return finish();
}
