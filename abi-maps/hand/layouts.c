/*
 * Probe for structure layouts: compiled for i386, arm, x86-64 and arm64 against each kernel's uapi headers, never run. The generator
 * reads the debug information of the variables that S(name, type) makes, and writes tables/layouts.tsv.
 *
 * Structures that the headers do not export (kernel-only ones) are declared here from their members; what a 64-bit kernel calls
 * compat_X is declared with the guest's own types, so that the compiler of the guest lays it out.
 */
#include <linux/types.h>
#include <linux/time.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/errqueue.h>
#include <linux/eventpoll.h>
#include <linux/fanotify.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/hdreg.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inotify.h>
#include <linux/input.h>
#include <linux/io_uring.h>
#include <linux/ipc.h>
#include <linux/ipv6_route.h>
#include <linux/kexec.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/lsm.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/mqueue.h>
#include <linux/msg.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/quota.h>
#include <linux/resource.h>
#include <linux/route.h>
#include <linux/rseq.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/seccomp.h>
#include <linux/sem.h>
#include <linux/shm.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/tcp.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/uinput.h>
#include <linux/uio.h>
#include <linux/un.h>
#include <linux/userfaultfd.h>
#include <linux/utime.h>
#include <linux/utsname.h>
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <asm/sigcontext.h>
#if defined(__i386__) || defined(__x86_64__)
#include <asm/ldt.h>
#include <asm/ucontext.h>
#endif
#ifdef __aarch64__
#include <asm/ucontext.h>
#endif

/* asm/signal.h makes these macros; the members below are the kernel's own. */
#undef sa_handler
#undef sa_sigaction

#define S(name, type) type lodge_layout_##name; enum lodge_align_##name { lodge_align_of_##name = _Alignof(type) } lodge_alignment_##name;

/* ---- files */
S(stat, struct stat)
#if !defined(__aarch64__) && !defined(__x86_64__)
S(stat64, struct stat64)
#endif
#ifdef __i386__
S(__old_kernel_stat, struct __old_kernel_stat)
#endif
S(statx, struct statx)
S(statx_timestamp, struct statx_timestamp)
S(statfs, struct statfs)
S(statfs64, struct statfs64)
S(flock, struct flock)
#if !defined(__aarch64__) && !defined(__x86_64__)
S(flock64, struct flock64)
#endif
S(f_owner_ex, struct f_owner_ex)
S(iovec, struct iovec)
S(open_how, struct open_how)
S(mount_attr, struct mount_attr)
S(statmount, struct statmount)
S(mnt_id_req, struct mnt_id_req)
S(if_dqblk, struct if_dqblk)
S(if_nextdqblk, struct if_nextdqblk)
S(if_dqinfo, struct if_dqinfo)
S(cachestat_range, struct cachestat_range)
S(cachestat, struct cachestat)
S(inotify_event, struct inotify_event)
S(fanotify_event_metadata, struct fanotify_event_metadata)
S(fanotify_response, struct fanotify_response)
S(epoll_event, struct epoll_event)
S(pollfd, struct pollfd)
S(fsxattr, struct fsxattr)
S(file_clone_range, struct file_clone_range)
S(fstrim_range, struct fstrim_range)
S(fiemap_extent_head, struct { __u64 fm_start; __u64 fm_length; __u32 fm_flags; __u32 fm_mapped_extents; __u32 fm_extent_count; __u32 fm_reserved; })

struct file_handle { __u32 handle_bytes; int handle_type; unsigned char f_handle[]; };
S(file_handle, struct file_handle)

struct linux_dirent { unsigned long d_ino; unsigned long d_off; unsigned short d_reclen; char d_name[]; };
S(linux_dirent, struct linux_dirent)
struct linux_dirent64 { __u64 d_ino; __s64 d_off; unsigned short d_reclen; unsigned char d_type; char d_name[]; };
S(linux_dirent64, struct linux_dirent64)
#ifdef __i386__
struct old_linux_dirent { unsigned long d_ino; unsigned long d_offset; unsigned short d_namlen; char d_name[]; };
S(old_linux_dirent, struct old_linux_dirent)
#endif

/* struct ustat of include/linux/types.h; a 64-bit kernel's view of the guest's is compat_ustat */
struct ustat {
#if defined(__i386__) || defined(__arm__)
	int f_tfree;
	unsigned int f_tinode;
#else
	int f_tfree;
	unsigned long f_tinode;
#endif
	char f_fname[6];
	char f_fpack[6];
};
S(ustat, struct ustat)
#if defined(__i386__) || defined(__arm__)
S(compat_ustat, struct ustat)
#endif

/* ---- multiplexed arguments */
struct sel_arg_struct { unsigned long n; void *inp; void *outp; void *exp; void *tvp; };
struct sigset_argpack { void *p; __kernel_size_t size; };
struct mmap_arg_struct { unsigned long addr; unsigned long len; unsigned long prot; unsigned long flags; unsigned long fd; unsigned long offset; };
struct ipc_kludge_ { void *msgp; long msgtyp; };
#if defined(__i386__) || defined(__arm__)
S(compat_sel_arg_struct, struct sel_arg_struct)
S(compat_sigset_argpack, struct sigset_argpack)
S(mmap_arg_struct, struct mmap_arg_struct)
S(mmap_arg_struct32, struct mmap_arg_struct)
S(compat_ipc_kludge, struct ipc_kludge_)
#else
S(sigset_argpack, struct sigset_argpack)
#endif

/* ---- time */
S(__kernel_timespec, struct __kernel_timespec)
S(__kernel_itimerspec, struct __kernel_itimerspec)
S(__kernel_old_timeval, struct __kernel_old_timeval)
S(__kernel_old_itimerval, struct __kernel_old_itimerval)
S(__kernel_sock_timeval, struct __kernel_sock_timeval)
S(timezone, struct timezone)
S(__kernel_timex, struct __kernel_timex)
S(tms, struct tms)
#if defined(__i386__) || defined(__arm__)
struct old_timespec32 { __s32 tv_sec; __s32 tv_nsec; };
struct old_timeval32 { __s32 tv_sec; __s32 tv_usec; };
struct old_itimerspec32 { struct old_timespec32 it_interval; struct old_timespec32 it_value; };
struct old_itimerval32 { struct old_timeval32 it_interval; struct old_timeval32 it_value; };
struct old_utimbuf32 { __s32 actime; __s32 modtime; };
struct old_timex32 {
	__u32 modes;
	__s32 offset, freq, maxerror, esterror, status, constant, precision, tolerance;
	struct old_timeval32 time;
	__s32 tick, ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai;
	__s32 reserved[11];
};
S(old_timespec32, struct old_timespec32)
S(old_timeval32, struct old_timeval32)
S(old_itimerspec32, struct old_itimerspec32)
S(old_itimerval32, struct old_itimerval32)
S(old_utimbuf32, struct old_utimbuf32)
S(old_timex32, struct old_timex32)
#else
S(timespec, struct timespec)
S(timeval, struct timeval)
S(itimerval, struct itimerval)
S(itimerspec, struct itimerspec)
S(utimbuf, struct utimbuf)
#endif

/* ---- resources, identity */
S(rusage, struct rusage)
S(rlimit, struct rlimit)
S(rlimit64, struct rlimit64)
S(sysinfo, struct sysinfo)
S(oldold_utsname, struct oldold_utsname)
S(old_utsname, struct old_utsname)
S(new_utsname, struct new_utsname)
S(__user_cap_header_struct, struct __user_cap_header_struct)
S(__user_cap_data_struct, struct __user_cap_data_struct)
S(sched_attr, struct sched_attr)
struct sched_param_ { int sched_priority; };
S(sched_param, struct sched_param_)
S(clone_args, struct clone_args)
S(prctl_mm_map, struct prctl_mm_map)
S(seccomp_data, struct seccomp_data)
S(sock_filter, struct sock_filter)
S(sock_fprog, struct sock_fprog)
S(rseq, struct rseq)
S(robust_list, struct robust_list)
S(robust_list_head, struct robust_list_head)
S(futex_waitv, struct futex_waitv)
struct getcpu_cache_ { unsigned long blob[128 / sizeof(long)]; };
S(getcpu_cache, struct getcpu_cache_)

/* ---- signals */
S(siginfo, struct siginfo)
S(signalfd_siginfo, struct signalfd_siginfo)
S(sigevent, struct sigevent)
S(sigaltstack, struct sigaltstack)
/* struct sigaction as the kernel reads it (include/linux/signal_types.h), with sa_restorer on all four */
typedef unsigned long lodge_sigset[8 / sizeof(long)];
struct kernel_sigaction { void *sa_handler; unsigned long sa_flags; void *sa_restorer; lodge_sigset sa_mask; };
struct kernel_old_sigaction { void *sa_handler; unsigned long sa_mask; unsigned long sa_flags; void *sa_restorer; };
#if defined(__i386__) || defined(__arm__)
S(compat_sigaction, struct kernel_sigaction)
S(compat_old_sigaction, struct kernel_old_sigaction)
S(compat_siginfo, struct siginfo)
S(compat_sigevent, struct sigevent)
S(compat_sigaltstack, struct sigaltstack)
#else
S(kernel_sigaction, struct kernel_sigaction)
#endif

#if defined(__i386__) || defined(__x86_64__)
S(_fpx_sw_bytes, struct _fpx_sw_bytes)
S(_fpreg, struct _fpreg)
S(_fpxreg, struct _fpxreg)
S(_xmmreg, struct _xmmreg)
S(_fpstate_32, struct _fpstate_32)
S(_header, struct _header)
S(user_desc, struct user_desc)
#endif
#ifdef __i386__
S(sigcontext_32, struct sigcontext_32)
struct ucontext_ia32 { unsigned int uc_flags; unsigned int uc_link; struct sigaltstack uc_stack; struct sigcontext_32 uc_mcontext; lodge_sigset uc_sigmask; };
S(ucontext_ia32, struct ucontext_ia32)
struct sigframe_ia32 { __u32 pretcode; int sig; struct sigcontext_32 sc; struct _fpstate_32 fpstate_unused; unsigned int extramask[1]; char retcode[8]; };
S(sigframe_ia32, struct sigframe_ia32)
struct rt_sigframe_ia32 { __u32 pretcode; int sig; __u32 pinfo; __u32 puc; struct siginfo info; struct ucontext_ia32 uc; char retcode[8]; };
S(rt_sigframe_ia32, struct rt_sigframe_ia32)
#endif
#ifdef __arm__
S(sigcontext, struct sigcontext)
struct compat_ucontext {
	unsigned long uc_flags; unsigned long uc_link; struct sigaltstack uc_stack; struct sigcontext uc_mcontext; lodge_sigset uc_sigmask;
	int __unused_[32 - (sizeof(lodge_sigset) / sizeof(int))];
	unsigned long uc_regspace[128] __attribute__((__aligned__(8)));
};
S(compat_ucontext, struct compat_ucontext)
struct compat_sigframe { struct compat_ucontext uc; unsigned long retcode[2]; };
S(compat_sigframe, struct compat_sigframe)
struct compat_rt_sigframe { struct siginfo info; struct compat_sigframe sig; };
S(compat_rt_sigframe, struct compat_rt_sigframe)
struct compat_user_vfp { __u64 fpregs[32]; unsigned long fpscr; };
struct compat_user_vfp_exc { unsigned long fpexc; unsigned long fpinst; unsigned long fpinst2; };
struct compat_vfp_sigframe { unsigned long magic; unsigned long size; struct compat_user_vfp ufp; struct compat_user_vfp_exc ufp_exc; } __attribute__((__aligned__(8)));
S(compat_vfp_sigframe, struct compat_vfp_sigframe)
#endif
#ifdef __x86_64__
S(sigcontext, struct sigcontext)
S(_fpstate_64, struct _fpstate_64)
S(ucontext, struct ucontext)
struct rt_sigframe { void *pretcode; struct ucontext uc; struct siginfo info; };
S(rt_sigframe, struct rt_sigframe)
#endif
#ifdef __aarch64__
S(sigcontext, struct sigcontext)
S(fpsimd_context, struct fpsimd_context)
S(esr_context, struct esr_context)
S(_aarch64_ctx, struct _aarch64_ctx)
S(ucontext, struct ucontext)
struct rt_sigframe { struct siginfo info; struct ucontext uc; };
S(rt_sigframe, struct rt_sigframe)
#endif

/* ---- System V IPC, message queues, asynchronous I/O */
S(ipc_perm, struct ipc_perm)
S(ipc64_perm, struct ipc64_perm)
S(msqid_ds, struct msqid_ds)
S(msqid64_ds, struct msqid64_ds)
S(semid_ds, struct semid_ds)
S(semid64_ds, struct semid64_ds)
S(shmid_ds, struct shmid_ds)
S(shmid64_ds, struct shmid64_ds)
S(shminfo, struct shminfo)
S(shminfo64, struct shminfo64)
S(shm_info, struct shm_info)
S(msginfo, struct msginfo)
S(seminfo, struct seminfo)
S(msgbuf, struct msgbuf)
S(sembuf, struct sembuf)
S(mq_attr, struct mq_attr)
S(iocb, struct iocb)
S(io_event, struct io_event)
S(io_uring_params, struct io_uring_params)

/* ---- sockets */
struct user_msghdr { void *msg_name; int msg_namelen; struct iovec *msg_iov; __kernel_size_t msg_iovlen; void *msg_control; __kernel_size_t msg_controllen; unsigned int msg_flags; };
struct mmsghdr { struct user_msghdr msg_hdr; unsigned int msg_len; };
struct cmsghdr { __kernel_size_t cmsg_len; int cmsg_level; int cmsg_type; };
struct ucred { __u32 pid; __u32 uid; __u32 gid; };
struct linger { int l_onoff; int l_linger; };
struct scm_timestamping_ { struct { long tv_sec; long tv_nsec; } ts[3]; };
S(user_msghdr, struct user_msghdr)
S(msghdr, struct user_msghdr)
S(mmsghdr, struct mmsghdr)
S(cmsghdr, struct cmsghdr)
S(ucred, struct ucred)
S(linger, struct linger)
S(scm_timestamping, struct scm_timestamping_)
S(__kernel_sockaddr_storage, struct __kernel_sockaddr_storage)
S(sockaddr_in, struct sockaddr_in)
S(sockaddr_in6, struct sockaddr_in6)
S(sockaddr_un, struct sockaddr_un)
S(sockaddr_nl, struct sockaddr_nl)
S(ip_mreqn, struct ip_mreqn)
S(group_req, struct group_req)
S(group_source_req, struct group_source_req)
S(group_filter, struct group_filter)
S(tcp_zerocopy_receive, struct tcp_zerocopy_receive)
S(ifmap, struct ifmap)
S(if_settings, struct if_settings)
S(ifreq, struct ifreq)
S(ifconf, struct ifconf)
S(rtentry, struct rtentry)
S(in6_rtmsg, struct in6_rtmsg)
S(arpreq, struct arpreq)
S(nlmsghdr, struct nlmsghdr)

/* ---- terminals */
S(termios, struct termios)
S(termios2, struct termios2)
S(ktermios, struct ktermios)
S(termio, struct termio)
S(winsize, struct winsize)

/* ---- the rest */
S(input_event, struct input_event)
S(ff_effect, struct ff_effect)
S(keyctl_kdf_params, struct keyctl_kdf_params)
S(keyctl_dh_params, struct keyctl_dh_params)
S(keyctl_pkey_params, struct keyctl_pkey_params)
S(perf_event_attr, struct perf_event_attr)
S(hd_geometry, struct hd_geometry)
struct kexec_segment_ { void *buf; __kernel_size_t bufsz; unsigned long mem; __kernel_size_t memsz; };
S(kexec_segment, struct kexec_segment_)
