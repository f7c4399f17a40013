/* process information: names, limits, usage, ids of 16 bits, CPU masks, prctl */
#include "guest.h"
#include <sys/prctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void)
{
    struct utsname u; char old[400];
    say("uname %ld %ld", raw(SYS_uname, &u), raw(SYS_uname, 16)); say("%s", u.machine);
    memset(old, 0, sizeof old); say("olduname %ld", raw(SYS_olduname, old)); say("%s", old + 4 * 65);
    memset(old, 0, sizeof old); say("oldolduname %ld", raw(SYS_oldolduname, old)); say("%s %s", old, old + 4 * 9);
    long p = raw(SYS_personality, 0xffffffff);
    say("linux32 %d", raw(SYS_personality, PER_LINUX32) == p); uname(&u); say("%s", u.machine); say("then %ld", raw(SYS_personality, p)); uname(&u); say("%s", u.machine);

    struct sysinfo s; say("sysinfo %ld %ld", raw(SYS_sysinfo, &s), raw(SYS_sysinfo, 16)); say("unit %u procs %d", s.mem_unit, s.procs > 0); check(s.totalram >= s.freeram, "ram");

    for (int r = 0; r < 18; r++) {
        u32 a[2] = { 0, 0 }, b[2] = { 0, 0 }; u64 c[2] = { 0, 0 };
        long x = raw(SYS_getrlimit, r, a), y = raw(SYS_ugetrlimit, r, b), z = raw(SYS_prlimit64, 0, r, 0, c);
        say("limit %d: %ld %x %x  %ld %x %x  %ld %llx %llx", r, x, a[0], a[1], y, b[0], b[1], z, (unsigned long long)c[0], (unsigned long long)c[1]);
    }
    u32 l[2] = { 100 << 20, 0xffffffff }; u64 w[2];
    say("set %ld", raw(SYS_setrlimit, RLIMIT_AS, l)); say("then %ld", raw(SYS_prlimit64, 0, RLIMIT_AS, 0, w)); say("%llx %llx", (unsigned long long)w[0], (unsigned long long)w[1]);
    say("map 200 MiB %d", mmap(0, 200 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    l[0] = 0xffffffff; say("reset %ld", raw(SYS_setrlimit, RLIMIT_AS, l));
    say("map 200 MiB %d", mmap(0, 200 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    l[0] = 2; l[1] = 1; say("invalid %ld %ld %ld fault %ld", raw(SYS_setrlimit, RLIMIT_AS, l), raw(SYS_setrlimit, RLIMIT_NOFILE, l), raw(SYS_setrlimit, 99, l), raw(SYS_setrlimit, 99, 16));

    struct rusage ru; say("rusage %ld %ld %ld", raw(SYS_getrusage, 0, &ru), raw(SYS_getrusage, 0, 16), raw(SYS_getrusage, 99, 16)); say("maxrss %d", ru.ru_maxrss > 0);

    u16 ids[6] = { 0 }; u32 wide[3];
    say("ids %d %d %d %d", raw(24) == getuid(), raw(47) == getgid(), raw(49) == geteuid(), raw(50) == getegid());
    say("resuid %ld", raw(165, ids, 16, ids)); say("resuid %ld", raw(165, ids, ids + 1, ids + 2)); raw(SYS_getresuid32, wide, wide + 1, wide + 2);
    check(ids[0] == wide[0] && ids[1] == wide[1] && ids[2] == wide[2], "16-bit ids");
    say("no change %ld %ld %ld %ld", raw(164, 0xffff, 0xffff, 0xffff), raw(70, 0x1ffff, 0xffff), raw(71, 0xffff, 0xffff), raw(170, 0xffff, 0xffff, 0xffff));
    int n = raw(80, 0, 0); u16 groups[1000]; say("groups %d %ld %ld", n == raw(205, 0, 0), raw(80, -1, 0), n > 0 ? raw(80, n, 16) : -14);
    say("list %d", n > 1000 || raw(80, 1000, groups) == n);
    if (getuid() == 0) {
        say("fsuid %ld", raw(138, 1234)); say("fsuid %ld", raw(138, 0));
        say("big id %ld", raw(SYS_setresuid32, 70000, -1, 70000)); say("reads as %ld", raw(24)); say("back %ld", raw(SYS_setresuid32, 0, -1, -1));
        if (raw(24) != 0) raw(SYS_setresuid32, -1, 70000, -1);
    }

    u32 mask[32]; memset(mask, 0xEE, sizeof mask);
    long got = raw(SYS_sched_getaffinity, 0, 4, mask); say("affinity %ld then %x", got, mask[1]);
    say("sizes %ld %ld %ld fault %ld nobody %ld", raw(SYS_sched_getaffinity, 0, 0, mask), raw(SYS_sched_getaffinity, 0, 3, mask), raw(SYS_sched_getaffinity, 0, 6, mask), raw(SYS_sched_getaffinity, 0, 4, 16), raw(SYS_sched_getaffinity, 0x7fffffff, 4, mask));
    say("set %ld one byte %ld empty %ld fault %ld", raw(SYS_sched_setaffinity, 0, 4, mask), raw(SYS_sched_setaffinity, 0, 1, mask), raw(SYS_sched_setaffinity, 0, 0, mask), raw(SYS_sched_setaffinity, 0, 4, 16));
    say("nice %ld", raw(SYS_nice, 3)); say("nice %ld", raw(SYS_nice, 2)); say("priority %d", getpriority(PRIO_PROCESS, 0));

    char name[17] = { 0 }; say("name %ld", raw(SYS_prctl, PR_SET_NAME, "a-rather-long-name")); say("name %ld", raw(SYS_prctl, PR_GET_NAME, name)); say("%s", name);
    int sig = -1; say("pdeathsig %ld", raw(SYS_prctl, PR_SET_PDEATHSIG, SIGHUP)); say("pdeathsig %ld", raw(SYS_prctl, PR_GET_PDEATHSIG, &sig)); say("%d", sig);
    raw(SYS_prctl, PR_SET_DUMPABLE, 1); say("dumpable %ld keepcaps %ld unknown %ld fault %ld", raw(SYS_prctl, PR_GET_DUMPABLE), raw(SYS_prctl, PR_GET_KEEPCAPS), raw(SYS_prctl, 0x7777), raw(SYS_prctl, PR_GET_NAME, 16));
    u32 auxv[200]; memset(auxv, 0, sizeof auxv); long size = raw(SYS_prctl, 0x41555856, auxv, sizeof auxv, 0, 0), pairs = 0, page = 0;
    while (pairs < 99 && auxv[pairs * 2]) { if (auxv[pairs * 2] == 6) page = auxv[pairs * 2 + 1]; pairs++; }
    say("auxv %d page %ld", size > 256, page); say("flags %ld fault %ld", raw(SYS_prctl, 0x41555856, auxv, 4, 1, 0), raw(SYS_prctl, 0x41555856, 16, 4, 0, 0));
    u32 cpu = 99; say("getcpu %ld", raw(SYS_getcpu, &cpu, 0, 0)); say("%d", cpu < 99);
    u32 cap[2] = { 0x20080522, 0 }, data[6]; say("capget %ld", raw(SYS_capget, cap, data));
    return finish();
}
