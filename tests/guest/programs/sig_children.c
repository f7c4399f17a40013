/* Signals against threads, children of every kind and jumps out of handlers: storms, clone3, CLONE_VM processes, exec from a thread, signalfd, timers. */
#include "guest.h"
#include <setjmp.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <spawn.h>
#include <linux/sched.h>
static sigjmp_buf jb; static volatile int n, m2; static void hj(int s){ n++; siglongjmp(jb,1);} static void hb(int s){ __sync_fetch_and_add(&m2,1);}
static volatile int stop; static void* spin(void*a){ u32 x=1; double d=1; while(!stop){ for(int i=0;i<1000;i++){ x=x*1664525+1013904223; d=d*1.0000001; } } return (void*)(uintptr_t)(d>0); }
static void* killer(void*a){ for(int i=0;i<3000;i++){ kill(getpid(),SIGUSR1); if(i%10==0) usleep(10);} return 0; }
static void* ex(void*a){ char*av[]={"x","child",0}; execv("/proc/self/exe",av); return 0; }
static int c3(void){ struct clone_args a; memset(&a,0,sizeof a); int pidfd=-1; a.flags=CLONE_PIDFD|CLONE_CLEAR_SIGHAND; a.pidfd=(uintptr_t)&pidfd; a.exit_signal=SIGCHLD; long r=syscall(SYS_clone3,&a,sizeof a); if(r==0){ struct sigaction sa; sigaction(SIGUSR1,0,&sa); _exit(sa.sa_handler==SIG_DFL?33:34);} siginfo_t si; memset(&si,0,sizeof si); int w=waitid(P_PIDFD,pidfd,&si,WEXITED);
    say("clone3 %d waitid %d status %d pid ok %d",r>0,w,si.si_status,si.si_pid==r); return 0; }
static int vmchild(void*a){ signal(SIGUSR2,SIG_IGN); *(int*)a=5; raise(SIGUSR1); return m2>0?6:7; }
static int vmkilled(void*a){ *(volatile int*)8=1; return 1; }
int main(int c, char **v)
{
    if (c > 1) { say("child tid is pid %d", gettid() == getpid()); return 3; }
    struct sigaction sa; memset(&sa,0,sizeof sa); sa.sa_handler=hj; sa.sa_flags=SA_NODEFER; sigaction(SIGSEGV,&sa,0); sigaction(SIGUSR2,&sa,0); stack_t ss={.ss_sp=malloc(65536),.ss_size=65536}; sigaltstack(&ss,0);
    for(int i=0;i<20000;i++){ if(!sigsetjmp(jb,1)) *(volatile int*)8=1; } say("siglongjmp out of SEGV %d",n);
    n=0; for(int i=0;i<20000;i++){ if(!sigsetjmp(jb,0)) raise(SIGUSR2); } say("siglongjmp out of raise %d",n);
    sa.sa_handler=hb; sa.sa_flags=SA_RESTART|SA_ONSTACK; sigaction(SIGUSR1,&sa,0); pthread_t t[6]; for(int i=0;i<4;i++) pthread_create(&t[i],0,spin,0); for(int i=4;i<6;i++) pthread_create(&t[i],0,killer,0); for(int i=4;i<6;i++) pthread_join(t[i],0); stop=1; /* how many of 6000 are merged depends on how often the main thread gets to run */ void*r; int ok=0; for(int i=0;i<4;i++){ pthread_join(t[i],&r); ok+=(uintptr_t)r; } say("storm %d threads ok, some signals %d",ok,m2>0);
    c3(); static char stk[65536]; int val=0; int st; pid_t p=clone(vmchild,stk+65536,CLONE_VM|SIGCHLD,&val); waitpid(p,&st,0); struct sigaction q; sigaction(SIGUSR2,0,&q);
    say("CLONE_VM child %x val %d parent's handler kept %d",st,val,q.sa_handler==hj);
    for(int i=0;i<50;i++){ signal(SIGSEGV,SIG_DFL); p=clone(vmkilled,stk+65536,CLONE_VM|SIGCHLD,&val); waitpid(p,&st,0);} say("CLONE_VM killed %d",WTERMSIG(st));
    sigset_t m; sigemptyset(&m); sigaddset(&m,SIGRTMIN+1); sigprocmask(SIG_BLOCK,&m,0); int fd=signalfd(-1,&m,0); union sigval sv={.sival_int=77}; sigqueue(getpid(),SIGRTMIN+1,sv); struct signalfd_siginfo fi;
    say("signalfd %d",(int)read(fd,&fi,sizeof fi));
    say("  %d %d",fi.ssi_signo,fi.ssi_int);
    p=fork(); if(!p){ pthread_create(&t[0],0,ex,0); for(;;) pause(); } waitpid(p,&st,0);
    say("exec in thread %x",st);
    timer_t tm; struct sigevent ev; memset(&ev,0,sizeof ev); ev.sigev_notify=SIGEV_SIGNAL; ev.sigev_signo=SIGRTMIN+1; ev.sigev_value.sival_int=99; timer_create(CLOCK_MONOTONIC,&ev,&tm); struct itimerspec is={{0,0},{0,1000000}}; timer_settime(tm,0,&is,0); siginfo_t si; int g=sigwaitinfo(&m,&si);
    say("timer signal %d code %d value %d",g,si.si_code,si.si_value.sival_int);
    struct sigaction big; memset(&big,0,sizeof big);
    say("sigaction 0 %ld 65 %ld kill %ld size %ld",raw(SYS_rt_sigaction,0,0,0,8),raw(SYS_rt_sigaction,65,0,0,8),raw(SYS_rt_sigaction,9,&big,0,8),raw(SYS_rt_sigaction,10,0,0,4));
    say("efault %ld %ld",raw(SYS_rt_sigaction,10,8,0,8),raw(SYS_rt_sigprocmask,0,8,0,8));
    say("how %ld",raw(SYS_rt_sigprocmask,7,&m,0,8));
 say("tgkill bad %ld %ld",raw(SYS_tgkill,getpid(),getpid(),65),raw(SYS_tgkill,-1,1,0));
    say("queue others' code %ld",raw(SYS_rt_sigqueueinfo,1,10,&si)==-1);
    p=vfork(); if(!p) _exit(8); waitpid(p,&st,0);
    say("vfork %x",st); int pi[2]; pipe(pi); if(!fork()){ close(pi[0]); usleep(10000); kill(getppid(),SIGUSR1); usleep(20000); write(pi[1],"z",1); _exit(0);} char b;
    say("restarted read %d",(int)read(pi[0],&b,1)); wait(0);
    return finish();
}
