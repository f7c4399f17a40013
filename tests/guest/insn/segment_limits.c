/* A segment of the LDT that ends after 16 bytes: accesses beyond its limit; a store to a read-only one. */
#include "insn.h"
#include <asm/ldt.h>

static int set_ldt(struct user_desc *d) { return raw(SYS_modify_ldt, 1, d, sizeof *d); }
static struct user_desc desc(int entry, u32 base, u32 limit, int pages) { return (struct user_desc){ .entry_number = entry, .base_addr = base, .limit = limit, .seg_32bit = 1, .limit_in_pages = pages, .useable = 1 }; }
CODE(g_fs_store, "movw %cx, %fs\n movl $0x77, %fs:8\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_limit, "movw %cx, %fs\n movl %fs:(%esi), %eax\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_lar, "larl %ecx, %eax\n setz %dl\n andl $0xf0ff00, %eax");
CODE(g_lsl, "lsll %ecx, %eax\n setz %dl");
CODE(g_verr, "verr %cx\n setz %al\n verw %cx\n setz %ah");

static u32 area[1100] __attribute__((aligned(4096)));
static void fill(void) { for (int i = 0; i < 1100; i++) area[i] = 0x1000 + i; }
#define G(n, sel) do { struct regs r_ = some_regs; r_.ecx = (sel); r_.esi = 4; r_.ebx = 1; fill(); run_show(#n, n, r_, 0); } while (0)

int main(void)
{
    struct user_desc d; u32 sel;
    insn_start();
    d = desc(3, (u32)area + 16, 15, 0); say("small segment %d", set_ldt(&d)); sel = 3 * 8 + 7;
    struct regs r_ = some_regs; static const u32 offsets[] = { 0, 8, 12, 13, 16, 0xfffffffe };
    for (int i = 0; i < 6; i++) { r_ = some_regs; r_.ecx = sel; r_.esi = offsets[i]; fill(); char n[30]; sprintf(n, "limit 15 at %x", offsets[i]); run_show(n, g_fs_limit, r_, 0); }
    G(g_lsl, sel); G(g_lar, sel); G(g_verr, sel);
    d = desc(4, (u32)area, 0xfffff, 1); d.read_exec_only = 1; say("read only %d", set_ldt(&d)); G(g_fs_store, 4 * 8 + 7);
    return finish();
}
