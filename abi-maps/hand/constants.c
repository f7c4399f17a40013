/*
 * Constants probe: the headers whose integer macros the generator compares between the four ABIs (tables/constants.tsv). Everything that
 * layouts.c includes belongs to it, too.
 */
#include "layouts.c"
#include <linux/auxvec.h>
#include <linux/elf.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/nsfs.h>
#include <linux/personality.h>
#include <linux/pidfd.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/serial.h>
#include <linux/securebits.h>
#include <linux/timerfd.h>
#include <linux/vt.h>
#include <linux/wait.h>
#include <linux/xattr.h>
#include <asm/auxvec.h>
#include <asm/fcntl.h>
#include <asm/mman.h>
#include <asm/shmbuf.h>
#include <asm/socket.h>
