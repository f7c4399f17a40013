/*
 * The vDSO of i386 guests. `build.sh` assembles it and writes VdsoImage.g.cs, which is committed: a build needs no i386 assembler.
 *
 * The trampolines have the kernel's instruction bytes: gdb and libgcc recognise a signal frame by them. Their unwind entries start one
 * byte early, because unwinders look up the byte before a return address.
 * The clock functions are plain system calls: the compat kernel answers them from the host's own vDSO, without entering the kernel.
 */
    .text

    .balign 16
    .globl __kernel_vsyscall
    .type __kernel_vsyscall, @function
__kernel_vsyscall:
    .cfi_startproc
    int $0x80
    ret
    .cfi_endproc
    .size __kernel_vsyscall, . - __kernel_vsyscall

/* Unwind rules of a signal frame whose sigcontext lies `at` bytes above ESP. Register numbers are DWARF's for i386. */
    .macro sigcontext at
    .cfi_signal_frame
    .cfi_escape 0x0f, 4, 0x74, (0x80 | ((\at + 28) & 0x7f)), ((\at + 28) >> 7), 0x06    /* CFA = saved esp */
    saved 0, \at + 44
    saved 1, \at + 40
    saved 2, \at + 36
    saved 3, \at + 32
    saved 5, \at + 24
    saved 6, \at + 20
    saved 7, \at + 16
    saved 8, \at + 56
    .endm
    .macro saved register, at
    .cfi_escape 0x10, \register, 3, 0x74, (0x80 | ((\at) & 0x7f)), ((\at) >> 7)         /* at esp + n */
    .endm

    .balign 16
    .cfi_startproc simple
    sigcontext 4
    nop
    .globl __kernel_sigreturn
    .type __kernel_sigreturn, @function
__kernel_sigreturn:
    pop %eax
    .cfi_escape 0x0f, 4, 0x74, 0x80 | 28, 0, 0x06
    saved 0, 44
    saved 1, 40
    saved 2, 36
    saved 3, 32
    saved 5, 24
    saved 6, 20
    saved 7, 16
    saved 8, 56
    mov $119, %eax
    int $0x80
    nop
    .cfi_endproc
    .size __kernel_sigreturn, . - __kernel_sigreturn

    .balign 16
    .cfi_startproc simple
    sigcontext 160
    nop
    .globl __kernel_rt_sigreturn
    .type __kernel_rt_sigreturn, @function
__kernel_rt_sigreturn:
    mov $173, %eax
    int $0x80
    nop
    .cfi_endproc
    .size __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

/* int name(a, b): system call `number` with two arguments. */
    .macro call2 name, number
    .balign 16
    .globl \name
    .type \name, @function
\name:
    .cfi_startproc
    push %ebx
    .cfi_adjust_cfa_offset 4
    .cfi_rel_offset ebx, 0
    mov 8(%esp), %ebx
    mov 12(%esp), %ecx
    mov $\number, %eax
    int $0x80
    pop %ebx
    .cfi_adjust_cfa_offset -4
    .cfi_restore ebx
    ret
    .cfi_endproc
    .size \name, . - \name
    .endm

    call2 __vdso_clock_gettime, 265
    call2 __vdso_clock_gettime64, 403
    call2 __vdso_gettimeofday, 78
    call2 __vdso_clock_getres, 266
    call2 __vdso_time, 13

/* getcpu has three arguments. */
    .balign 16
    .globl __vdso_getcpu
    .type __vdso_getcpu, @function
__vdso_getcpu:
    .cfi_startproc
    push %ebx
    .cfi_adjust_cfa_offset 4
    .cfi_rel_offset ebx, 0
    mov 8(%esp), %ebx
    mov 12(%esp), %ecx
    mov 16(%esp), %edx
    mov $318, %eax
    int $0x80
    pop %ebx
    .cfi_adjust_cfa_offset -4
    .cfi_restore ebx
    ret
    .cfi_endproc
    .size __vdso_getcpu, . - __vdso_getcpu

    .section .note.GNU-stack, "", @progbits
