/* Segment registers and descriptors: TLS and LDT entries, loads that fault, fs and gs bases and limits, lar, lsl, verr, verw, str, sldt. */
#include "insn.h"
#include <asm/ldt.h>

static int set_tls(struct user_desc *d) { return raw(SYS_set_thread_area, d); }
static int set_ldt(struct user_desc *d) { return raw(SYS_modify_ldt, 1, d, sizeof *d); }
static struct user_desc desc(int entry, u32 base, u32 limit, int pages) { return (struct user_desc){ .entry_number = entry, .base_addr = base, .limit = limit, .seg_32bit = 1, .limit_in_pages = pages, .useable = 1 }; }

CODE(g_load_fs, "movw %cx, %fs\n movl $1, %eax");
CODE(g_load_gs_back, "movw %gs, %dx\n movw %cx, %gs\n movw %gs, %ax\n movw %dx, %gs\n xorl %edx, %edx");
CODE(g_load_es, "movw %cx, %es\n pushl %ds\n popl %es\n movl $1, %eax");
CODE(g_load_ds, "movw %cx, %ds\n pushl %ss\n popl %ds\n movl $1, %eax");
CODE(g_load_ss, "movw %cx, %ss\n movl $1, %eax");
CODE(g_fs_read, "movw %cx, %fs\n movl %fs:(%esi), %eax\n movl %fs:4, %edx\n movl $0, %ebx\n movw %bx, %fs");
CODE(g_fs_write, "movw %cx, %fs\n movl $0x77, %fs:8\n addl $1, %fs:8\n lock xaddl %eax, %fs:8\n xchgl %edx, %fs:(%esi,%ebx,4)\n pushl %fs:8\n popl %fs:12\n movl %fs:12, %ebp\n movw $0, %bx\n movw %bx, %fs");
CODE(g_fs_null, "xorl %ecx, %ecx\n movw %cx, %fs\n movl %fs:(%esi), %eax");
CODE(g_fs_string, "movw %cx, %fs\n xorl %esi, %esi\n movl $g_buffer, %edi\n movl $4, %ecx\n .byte 0xf3, 0x64, 0xa5\n xorl %edi, %edi\n movw %cx, %fs");
CODE(g_fs_a16, "movw %cx, %fs\n movl $0x12340004, %ebx\n .byte 0x64, 0x67, 0x8b, 0x07\n .byte 0x64, 0x67, 0x8b, 0x56, 0x00\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_a16_bp, "movw %cx, %fs\n movl $0x12340004, %ebp\n .byte 0x64, 0x67, 0x8b, 0x46, 0x04\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_jmp, "movw %cx, %fs\n jmp *%fs:16");
CODE(g_fs_call, "movw %cx, %fs\n call *%fs:16\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_lea, "movw %cx, %fs\n .byte 0x64\n leal 4(%esi), %eax\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_sse, "movw %cx, %fs\n movups %fs:0, %xmm0\n movd %xmm0, %eax\n fildl %fs:0\n fistpl %fs:20\n movl %fs:20, %edx\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_fs_neg, "movw %cx, %fs\n movl $-4, %esi\n movl %fs:(%esi), %eax\n movl %fs:0xfffffffc, %edx\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_gs_neg, "movl %gs:0, %eax\n movl $0, %esi\n movl %gs:(%esi), %edx\n subl %edx, %eax\n xorl %edx, %edx\n movl $-1024, %esi\n movl %gs:1024(%esi), %ebx\n subl %gs:0, %ebx");
CODE(g_gs_moffs, ".byte 0x65, 0xa1\n .long 0\n movl %eax, %edx\n .byte 0x65, 0xa3\n .long 0\n subl %gs:0, %edx\n xorl %eax, %eax");
CODE(g_lar, "larl %ecx, %eax\n setz %dl\n andl $0xf0ff00, %eax");
CODE(g_lsl, "lsll %ecx, %eax\n setz %dl");
CODE(g_verr, "verr %cx\n setz %al\n verw %cx\n setz %ah");
CODE(g_push_fs, "movw %cx, %fs\n pushl %fs\n popl %eax\n pushw %fs\n popw %dx\n pushl %fs\n popl %fs\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_lfs, "pushl %ecx\n pushl $0x1234\n lfs (%esp), %eax\n movw %fs, %dx\n addl $8, %esp\n movl $0, %ecx\n movw %cx, %fs");
CODE(g_lgs_bad, "pushl $0x1003\n pushl $0x1234\n lgs (%esp), %eax");
CODE(g_mov_mem, "movl $-1, g_buffer\n movw %ds, g_buffer\n movl g_buffer, %eax\n movl %ds, %edx\n movw $0, %cx\n .byte 0x66\n movw %ds, %cx");
__asm__(".data\n g_buffer: .space 64\n.text\n g_target: movl $0x7a36e7, %eax\n movl $0, %ecx\n movw %cx, %fs\n ret\n");
extern u32 g_buffer[]; extern char g_target[];

static u32 area[1100] __attribute__((aligned(4096)));
static void fill(void) { for (int i = 0; i < 1100; i++) area[i] = 0x1000 + i; area[4] = (u32)g_target; }

#define G(n, sel) do { struct regs r_ = some_regs; r_.ecx = (sel); r_.esi = 4; r_.ebx = 1; fill(); run_show(#n, n, r_, 0); } while (0)

int main(void)
{
    insn_start();
    struct user_desc d = desc(-1, (u32)area, 0xfffff, 1);
    int r = set_tls(&d); say("set_thread_area %d entry %d", r, d.entry_number);
    u32 sel = d.entry_number * 8 + 3;
    struct user_desc q = { .entry_number = d.entry_number };
    r = raw(SYS_get_thread_area, &q);
    say("get_thread_area %d base %d limit %x bits 32:%d contents:%d ro:%d pages:%d notpresent:%d useable:%d", r, (int)(q.base_addr - (u32)area), q.limit, q.seg_32bit, q.contents,
        q.read_exec_only, q.limit_in_pages, q.seg_not_present, q.useable);
    G(g_load_fs, sel); G(g_load_gs_back, sel); G(g_fs_read, sel); G(g_fs_write, sel); say("memory %x %x %x %x", area[1], area[2], area[3], area[4] != 0);
    G(g_fs_null, 0); G(g_fs_string, sel); say("copied %x %x", g_buffer[0], g_buffer[3]); G(g_fs_a16, sel); G(g_fs_a16_bp, sel); G(g_fs_jmp, sel); G(g_fs_call, sel); G(g_fs_lea, sel); G(g_fs_sse, sel);
    G(g_push_fs, sel); G(g_lfs, sel); G(g_lgs_bad, 0); G(g_mov_mem, 0); G(g_gs_neg, 0); G(g_gs_moffs, 0);
    static const u32 selectors[] = { 0, 1, 3, 0x23, 0x2b, 0x33, 0x43, 0x53, 0x5b, 0x63, 0x6b, 0x73, 0x7b, 0x83, 0x10, 0x7, 0xf, 0xfff7, 0xfff8, 0x1233 };
    for (unsigned i = 0; i < sizeof selectors / sizeof *selectors; i++) {
        u32 s = selectors[i];
        if (s == 0x63 || s == 0x7b || s == 0x10) continue;     /* libc's own, per-CPU and kernel entries: nothing that must be equal */
        remark("selector %x", s);
        G(g_load_fs, s); G(g_load_es, s); G(g_load_ds, s); if (s != 0x6b && s != 0x73) G(g_load_ss, s);   /* those exist: a stack somewhere else */
        G(g_verr, s);
    }
    G(g_lar, 0x23); G(g_lar, 0x2b); G(g_lsl, 0x23); G(g_lsl, 0x2b); G(g_lar, 0x1003); G(g_lsl, 0x1003); G(g_lar, sel); G(g_lsl, sel);
    /* the LDT */
    u8 raw_ldt[64]; memset(raw_ldt, 9, 64);
    say("read_ldt empty %ld", raw(SYS_modify_ldt, 0, raw_ldt, 64));
    d = desc(2, (u32)area, 0xfffff, 1); say("write_ldt %d", set_ldt(&d)); sel = 2 * 8 + 7;
    G(g_fs_read, sel); G(g_fs_neg, sel); G(g_fs_write, sel); G(g_load_fs, sel); G(g_load_gs_back, sel);
    d = desc(4, (u32)area, 0xfffff, 1); d.read_exec_only = 1; say("read only %d", set_ldt(&d)); G(g_fs_read, 4 * 8 + 7); G(g_verr, 4 * 8 + 7);
    d = desc(5, (u32)area, 0xfffff, 1); d.seg_not_present = 1; say("not present %d", set_ldt(&d)); G(g_load_fs, 5 * 8 + 7); G(g_lar, 5 * 8 + 7);
    d = desc(6, 0, 0, 0); d.seg_32bit = 0; d.useable = 0; d.read_exec_only = 1; d.seg_not_present = 1; say("clear %d", set_ldt(&d)); G(g_load_fs, 6 * 8 + 7);
    d = desc(9000, 0, 0, 0); say("entry too large %d", set_ldt(&d));
    say("bad function %ld", raw(SYS_modify_ldt, 77, &d, sizeof d)); say("bad size %ld", raw(SYS_modify_ldt, 1, &d, 3)); say("bad pointer %ld", raw(SYS_modify_ldt, 1, 8, sizeof d));
    long n = raw(SYS_modify_ldt, 0, raw_ldt, 64); say("read_ldt %ld", n);
    for (int i = 2; i < 6; i++) { if (i == 3) continue; u32 *e = (u32 *)(raw_ldt + i * 8); u32 base = (e[0] >> 16) | (e[1] & 0xff) << 16 | (e[1] & 0xff000000); say("  entry %d base %+d limit %x bits %x", i, (int)(base - (u32)area), (e[0] & 0xffff) | (e[1] & 0xf0000), e[1] >> 8 & 0xf0ff); }
    /* errors of set_thread_area */
    d = desc(3, 0, 0, 0); say("set entry 3 %d", set_tls(&d)); d = desc(15, 0, 0, 0); say("set entry 15 %d", set_tls(&d));
    d = desc(-1, 0, 0xfffff, 1); d.contents = 2; say("code segment %d", set_tls(&d)); d = desc(-1, 0, 0xfffff, 1); d.seg_32bit = 0; say("16 bit %d", set_tls(&d));
    d = desc(-1, 0, 0xfffff, 1); say("third %d", set_tls(&d)); struct user_desc e = desc(-1, 0, 0xfffff, 1); say("full %d", set_tls(&e));
    d = (struct user_desc){ .entry_number = d.entry_number, .read_exec_only = 1, .seg_not_present = 1 }; say("free %d", set_tls(&d)); e = desc(-1, 0, 0xfffff, 1); say("again %d", set_tls(&e));
    say("bad pointer %ld %ld", raw(SYS_set_thread_area, 8), raw(SYS_get_thread_area, 8));
    return finish();
}
