using System;

namespace Lodge.Shim;

/// <summary>How an ioctl is carried over.</summary>
public enum IoctlKind : byte
{
    /// <summary>Not known: ENOTTY.</summary>
    Unknown,
    /// <summary>Same number, same layout; the table says how many bytes the kernel may write.</summary>
    Pass,
    /// <summary>As <see cref="Pass"/>, but the number holds sizeof(long) or sizeof(pointer): four bytes here, eight on the host.</summary>
    PassWide,
    /// <summary>The kernel writes a long.</summary>
    WordOut,
    /// <summary>The argument holds open flags; the result is a descriptor.</summary>
    OpenFlags,
    /// <summary>struct hd_geometry from the kernel.</summary>
    DiskGeometry,
    /// <summary>struct fiemap, as many extents behind it as it says.</summary>
    ExtentMap,
    /// <summary>struct file_dedupe_range, as many entries behind it as it says.</summary>
    DedupeRange,
    /// <summary>A 32-bit timeval from the kernel.</summary>
    StampTimeval,
    /// <summary>A 32-bit timespec from the kernel.</summary>
    StampTimespec,
    /// <summary>struct rtentry or in6_rtmsg, by the socket's family.</summary>
    Route,
    /// <summary>struct ifconf.</summary>
    InterfaceList,
    /// <summary>struct ifreq without pointers, both ways.</summary>
    InterfaceRequest,
    /// <summary>struct ifreq with ifr_data.</summary>
    InterfaceData,
    /// <summary>struct ifreq with ifr_map.</summary>
    InterfaceMap,
}

/// <summary>
/// The ioctls that the shim knows: request number as the guest says it (equal on i386 and arm, but for <see cref="ArmFioQSize"/>), kind, and the
/// bytes that the kernel writes. Sorted by number.
/// </summary>
public static class IoctlTable
{
    /// <summary>FIOQSIZE of i386 and of both hosts; arm's is another.</summary>
    public const uint FioQSize = 0x5460;

    /// <inheritdoc cref="FioQSize"/>
    public const uint ArmFioQSize = 0x545e;

    /// <summary>Looks a request up; false if it is unknown.</summary>
    public static bool TryFind(uint request, out IoctlKind kind, out uint written)
    {
        ReadOnlySpan<uint> rows = Rows;
        int low = 0;
        int high = (rows.Length / 2) - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            uint found = rows[2 * middle];
            if (found == request)
            {
                uint value = rows[(2 * middle) + 1];
                kind = (IoctlKind)(byte)value;
                written = value >> 8;
                return true;
            }

            if (found < request)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        kind = IoctlKind.Unknown;
        written = 0;
        return false;
    }

    /// <summary>Number of requests in the table.</summary>
    public static int Count => Rows.Length / 2;

    /// <summary>The request of a row.</summary>
    public static uint RequestAt(int row) => Rows[2 * row];

    private static ReadOnlySpan<uint> Rows =>
    [
        0x00000001, (uint)IoctlKind.Pass | (4u << 8), // FIBMAP
        0x00000002, (uint)IoctlKind.Pass | (4u << 8), // FIGETBSZ
        0x00000301, (uint)IoctlKind.DiskGeometry, // HDIO_GETGEO
        0x000007b9, (uint)IoctlKind.Pass | (4u << 8), // IOCTL_VM_SOCKETS_GET_LOCAL_CID
        0x0000125d, (uint)IoctlKind.Pass, // BLKROSET
        0x0000125e, (uint)IoctlKind.Pass | (4u << 8), // BLKROGET
        0x0000125f, (uint)IoctlKind.Pass, // BLKRRPART
        0x00001260, (uint)IoctlKind.WordOut, // BLKGETSIZE
        0x00001261, (uint)IoctlKind.Pass, // BLKFLSBUF
        0x00001262, (uint)IoctlKind.Pass, // BLKRASET
        0x00001263, (uint)IoctlKind.WordOut, // BLKRAGET
        0x00001264, (uint)IoctlKind.Pass, // BLKFRASET
        0x00001265, (uint)IoctlKind.WordOut, // BLKFRAGET
        0x00001267, (uint)IoctlKind.Pass | (2u << 8), // BLKSECTGET
        0x00001268, (uint)IoctlKind.Pass | (4u << 8), // BLKSSZGET
        0x00001277, (uint)IoctlKind.Pass, // BLKDISCARD
        0x00001278, (uint)IoctlKind.Pass | (4u << 8), // BLKIOMIN
        0x00001279, (uint)IoctlKind.Pass | (4u << 8), // BLKIOOPT
        0x0000127a, (uint)IoctlKind.Pass | (4u << 8), // BLKALIGNOFF
        0x0000127b, (uint)IoctlKind.Pass | (4u << 8), // BLKPBSZGET
        0x0000127c, (uint)IoctlKind.Pass | (4u << 8), // BLKDISCARDZEROES
        0x0000127d, (uint)IoctlKind.Pass, // BLKSECDISCARD
        0x0000127e, (uint)IoctlKind.Pass | (2u << 8), // BLKROTATIONAL
        0x0000127f, (uint)IoctlKind.Pass, // BLKZEROOUT
        0x00002400, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_ENABLE
        0x00002401, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_DISABLE
        0x00002402, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_REFRESH
        0x00002403, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_RESET
        0x00002405, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_SET_OUTPUT
        0x00004b2f, (uint)IoctlKind.Pass, // KIOCSOUND
        0x00004b30, (uint)IoctlKind.Pass, // KDMKTONE
        0x00004b31, (uint)IoctlKind.Pass | (1u << 8), // KDGETLED
        0x00004b32, (uint)IoctlKind.Pass, // KDSETLED
        0x00004b33, (uint)IoctlKind.Pass | (1u << 8), // KDGKBTYPE
        0x00004b3a, (uint)IoctlKind.Pass, // KDSETMODE
        0x00004b3b, (uint)IoctlKind.Pass | (4u << 8), // KDGETMODE
        0x00004b44, (uint)IoctlKind.Pass | (4u << 8), // KDGKBMODE
        0x00004b45, (uint)IoctlKind.Pass, // KDSKBMODE
        0x00004b46, (uint)IoctlKind.Pass | (4u << 8), // KDGKBENT
        0x00004b47, (uint)IoctlKind.Pass, // KDSKBENT
        0x00004b48, (uint)IoctlKind.Pass | (516u << 8), // KDGKBSENT
        0x00004b49, (uint)IoctlKind.Pass, // KDSKBSENT
        0x00004b62, (uint)IoctlKind.Pass | (4u << 8), // KDGKBMETA
        0x00004b63, (uint)IoctlKind.Pass, // KDSKBMETA
        0x00004b64, (uint)IoctlKind.Pass | (1u << 8), // KDGKBLED
        0x00004b65, (uint)IoctlKind.Pass, // KDSKBLED
        0x00004b70, (uint)IoctlKind.Pass | (48u << 8), // GIO_CMAP
        0x00004b71, (uint)IoctlKind.Pass, // PIO_CMAP
        0x00004c00, (uint)IoctlKind.Pass, // LOOP_SET_FD
        0x00004c01, (uint)IoctlKind.Pass, // LOOP_CLR_FD
        0x00004c04, (uint)IoctlKind.Pass, // LOOP_SET_STATUS64
        0x00004c05, (uint)IoctlKind.Pass | (232u << 8), // LOOP_GET_STATUS64
        0x00004c06, (uint)IoctlKind.Pass, // LOOP_CHANGE_FD
        0x00004c07, (uint)IoctlKind.Pass, // LOOP_SET_CAPACITY
        0x00004c08, (uint)IoctlKind.Pass, // LOOP_SET_DIRECT_IO
        0x00004c09, (uint)IoctlKind.Pass, // LOOP_SET_BLOCK_SIZE
        0x00004c0a, (uint)IoctlKind.Pass, // LOOP_CONFIGURE
        0x00004c80, (uint)IoctlKind.Pass, // LOOP_CTL_ADD
        0x00004c81, (uint)IoctlKind.Pass, // LOOP_CTL_REMOVE
        0x00004c82, (uint)IoctlKind.Pass, // LOOP_CTL_GET_FREE
        0x00005204, (uint)IoctlKind.Pass, // RNDZAPENTCNT
        0x00005206, (uint)IoctlKind.Pass, // RNDCLEARPOOL
        0x00005207, (uint)IoctlKind.Pass, // RNDRESEEDCRNG
        0x00005401, (uint)IoctlKind.Pass | (36u << 8), // TCGETS
        0x00005402, (uint)IoctlKind.Pass, // TCSETS
        0x00005403, (uint)IoctlKind.Pass, // TCSETSW
        0x00005404, (uint)IoctlKind.Pass, // TCSETSF
        0x00005405, (uint)IoctlKind.Pass | (18u << 8), // TCGETA
        0x00005406, (uint)IoctlKind.Pass, // TCSETA
        0x00005407, (uint)IoctlKind.Pass, // TCSETAW
        0x00005408, (uint)IoctlKind.Pass, // TCSETAF
        0x00005409, (uint)IoctlKind.Pass, // TCSBRK
        0x0000540a, (uint)IoctlKind.Pass, // TCXONC
        0x0000540b, (uint)IoctlKind.Pass, // TCFLSH
        0x0000540c, (uint)IoctlKind.Pass, // TIOCEXCL
        0x0000540d, (uint)IoctlKind.Pass, // TIOCNXCL
        0x0000540e, (uint)IoctlKind.Pass, // TIOCSCTTY
        0x0000540f, (uint)IoctlKind.Pass | (4u << 8), // TIOCGPGRP
        0x00005410, (uint)IoctlKind.Pass, // TIOCSPGRP
        0x00005411, (uint)IoctlKind.Pass | (4u << 8), // TIOCOUTQ
        0x00005412, (uint)IoctlKind.Pass, // TIOCSTI
        0x00005413, (uint)IoctlKind.Pass | (8u << 8), // TIOCGWINSZ
        0x00005414, (uint)IoctlKind.Pass, // TIOCSWINSZ
        0x00005415, (uint)IoctlKind.Pass | (4u << 8), // TIOCMGET
        0x00005416, (uint)IoctlKind.Pass, // TIOCMBIS
        0x00005417, (uint)IoctlKind.Pass, // TIOCMBIC
        0x00005418, (uint)IoctlKind.Pass, // TIOCMSET
        0x00005419, (uint)IoctlKind.Pass | (4u << 8), // TIOCGSOFTCAR
        0x0000541a, (uint)IoctlKind.Pass, // TIOCSSOFTCAR
        0x0000541b, (uint)IoctlKind.Pass | (4u << 8), // FIONREAD
        0x0000541c, (uint)IoctlKind.Pass | (16u << 8), // TIOCLINUX
        0x0000541d, (uint)IoctlKind.Pass, // TIOCCONS
        0x00005420, (uint)IoctlKind.Pass, // TIOCPKT
        0x00005421, (uint)IoctlKind.Pass, // FIONBIO
        0x00005422, (uint)IoctlKind.Pass, // TIOCNOTTY
        0x00005423, (uint)IoctlKind.Pass, // TIOCSETD
        0x00005424, (uint)IoctlKind.Pass | (4u << 8), // TIOCGETD
        0x00005425, (uint)IoctlKind.Pass, // TCSBRKP
        0x00005427, (uint)IoctlKind.Pass, // TIOCSBRK
        0x00005428, (uint)IoctlKind.Pass, // TIOCCBRK
        0x00005429, (uint)IoctlKind.Pass | (4u << 8), // TIOCGSID
        0x0000542e, (uint)IoctlKind.Pass | (32u << 8), // TIOCGRS485
        0x0000542f, (uint)IoctlKind.Pass | (32u << 8), // TIOCSRS485
        0x00005432, (uint)IoctlKind.Pass | (16u << 8), // TCGETX
        0x00005433, (uint)IoctlKind.Pass, // TCSETX
        0x00005434, (uint)IoctlKind.Pass, // TCSETXF
        0x00005435, (uint)IoctlKind.Pass, // TCSETXW
        0x00005437, (uint)IoctlKind.Pass, // TIOCVHANGUP
        0x00005441, (uint)IoctlKind.OpenFlags, // TIOCGPTPEER
        0x00005450, (uint)IoctlKind.Pass, // FIONCLEX
        0x00005451, (uint)IoctlKind.Pass, // FIOCLEX
        0x00005452, (uint)IoctlKind.Pass, // FIOASYNC
        0x00005453, (uint)IoctlKind.Pass, // TIOCSERCONFIG
        0x00005456, (uint)IoctlKind.Pass | (36u << 8), // TIOCGLCKTRMIOS
        0x00005457, (uint)IoctlKind.Pass, // TIOCSLCKTRMIOS
        0x00005459, (uint)IoctlKind.Pass | (4u << 8), // TIOCSERGETLSR
        0x0000545c, (uint)IoctlKind.Pass, // TIOCMIWAIT
        0x0000545d, (uint)IoctlKind.Pass | (80u << 8), // TIOCGICOUNT
        0x00005600, (uint)IoctlKind.Pass | (4u << 8), // VT_OPENQRY
        0x00005601, (uint)IoctlKind.Pass | (8u << 8), // VT_GETMODE
        0x00005602, (uint)IoctlKind.Pass, // VT_SETMODE
        0x00005603, (uint)IoctlKind.Pass | (6u << 8), // VT_GETSTATE
        0x00005604, (uint)IoctlKind.Pass, // VT_SENDSIG
        0x00005605, (uint)IoctlKind.Pass, // VT_RELDISP
        0x00005606, (uint)IoctlKind.Pass, // VT_ACTIVATE
        0x00005607, (uint)IoctlKind.Pass, // VT_WAITACTIVE
        0x00005608, (uint)IoctlKind.Pass, // VT_DISALLOCATE
        0x00005609, (uint)IoctlKind.Pass, // VT_RESIZE
        0x0000560a, (uint)IoctlKind.Pass, // VT_RESIZEX
        0x0000560b, (uint)IoctlKind.Pass, // VT_LOCKSWITCH
        0x0000560c, (uint)IoctlKind.Pass, // VT_UNLOCKSWITCH
        0x0000560d, (uint)IoctlKind.Pass | (2u << 8), // VT_GETHIFONTMASK
        0x0000560e, (uint)IoctlKind.Pass | (32u << 8), // VT_WAITEVENT
        0x0000560f, (uint)IoctlKind.Pass, // VT_SETACTIVATE
        0x00007001, (uint)IoctlKind.Pass, // RTC_AIE_ON
        0x00007002, (uint)IoctlKind.Pass, // RTC_AIE_OFF
        0x00007003, (uint)IoctlKind.Pass, // RTC_UIE_ON
        0x00007004, (uint)IoctlKind.Pass, // RTC_UIE_OFF
        0x00007005, (uint)IoctlKind.Pass, // RTC_PIE_ON
        0x00007006, (uint)IoctlKind.Pass, // RTC_PIE_OFF
        0x00008901, (uint)IoctlKind.Pass, // FIOSETOWN
        0x00008902, (uint)IoctlKind.Pass, // SIOCSPGRP
        0x00008903, (uint)IoctlKind.Pass | (4u << 8), // FIOGETOWN
        0x00008904, (uint)IoctlKind.Pass | (4u << 8), // SIOCGPGRP
        0x00008905, (uint)IoctlKind.Pass | (4u << 8), // SIOCATMARK
        0x00008906, (uint)IoctlKind.StampTimeval, // SIOCGSTAMP_OLD
        0x00008907, (uint)IoctlKind.StampTimespec, // SIOCGSTAMPNS_OLD
        0x0000890b, (uint)IoctlKind.Route, // SIOCADDRT
        0x0000890c, (uint)IoctlKind.Route, // SIOCDELRT
        0x00008910, (uint)IoctlKind.InterfaceRequest, // SIOCGIFNAME
        0x00008911, (uint)IoctlKind.InterfaceRequest, // SIOCSIFLINK
        0x00008912, (uint)IoctlKind.InterfaceList, // SIOCGIFCONF
        0x00008913, (uint)IoctlKind.InterfaceRequest, // SIOCGIFFLAGS
        0x00008914, (uint)IoctlKind.InterfaceRequest, // SIOCSIFFLAGS
        0x00008915, (uint)IoctlKind.InterfaceRequest, // SIOCGIFADDR
        0x00008916, (uint)IoctlKind.InterfaceRequest, // SIOCSIFADDR
        0x00008917, (uint)IoctlKind.InterfaceRequest, // SIOCGIFDSTADDR
        0x00008918, (uint)IoctlKind.InterfaceRequest, // SIOCSIFDSTADDR
        0x00008919, (uint)IoctlKind.InterfaceRequest, // SIOCGIFBRDADDR
        0x0000891a, (uint)IoctlKind.InterfaceRequest, // SIOCSIFBRDADDR
        0x0000891b, (uint)IoctlKind.InterfaceRequest, // SIOCGIFNETMASK
        0x0000891c, (uint)IoctlKind.InterfaceRequest, // SIOCSIFNETMASK
        0x0000891d, (uint)IoctlKind.InterfaceRequest, // SIOCGIFMETRIC
        0x0000891e, (uint)IoctlKind.InterfaceRequest, // SIOCSIFMETRIC
        0x00008921, (uint)IoctlKind.InterfaceRequest, // SIOCGIFMTU
        0x00008922, (uint)IoctlKind.InterfaceRequest, // SIOCSIFMTU
        0x00008923, (uint)IoctlKind.InterfaceRequest, // SIOCSIFNAME
        0x00008924, (uint)IoctlKind.InterfaceRequest, // SIOCSIFHWADDR
        0x00008925, (uint)IoctlKind.InterfaceRequest, // SIOCGIFENCAP
        0x00008926, (uint)IoctlKind.InterfaceRequest, // SIOCSIFENCAP
        0x00008927, (uint)IoctlKind.InterfaceRequest, // SIOCGIFHWADDR
        0x00008929, (uint)IoctlKind.InterfaceRequest, // SIOCGIFSLAVE
        0x00008930, (uint)IoctlKind.InterfaceRequest, // SIOCSIFSLAVE
        0x00008931, (uint)IoctlKind.InterfaceRequest, // SIOCADDMULTI
        0x00008932, (uint)IoctlKind.InterfaceRequest, // SIOCDELMULTI
        0x00008933, (uint)IoctlKind.InterfaceRequest, // SIOCGIFINDEX
        0x00008934, (uint)IoctlKind.InterfaceRequest, // SIOCSIFPFLAGS
        0x00008935, (uint)IoctlKind.InterfaceRequest, // SIOCGIFPFLAGS
        0x00008936, (uint)IoctlKind.InterfaceRequest, // SIOCDIFADDR
        0x00008937, (uint)IoctlKind.InterfaceRequest, // SIOCSIFHWBROADCAST
        0x00008938, (uint)IoctlKind.InterfaceRequest, // SIOCGIFCOUNT
        0x00008942, (uint)IoctlKind.InterfaceRequest, // SIOCGIFTXQLEN
        0x00008943, (uint)IoctlKind.InterfaceRequest, // SIOCSIFTXQLEN
        0x00008946, (uint)IoctlKind.InterfaceData, // SIOCETHTOOL
        0x00008947, (uint)IoctlKind.InterfaceRequest, // SIOCGMIIPHY
        0x00008948, (uint)IoctlKind.InterfaceRequest, // SIOCGMIIREG
        0x00008949, (uint)IoctlKind.InterfaceRequest, // SIOCSMIIREG
        0x0000894b, (uint)IoctlKind.Pass | (4u << 8), // SIOCOUTQNSD
        0x0000894c, (uint)IoctlKind.Pass, // SIOCGSKNS
        0x00008953, (uint)IoctlKind.Pass, // SIOCDARP
        0x00008954, (uint)IoctlKind.Pass | (68u << 8), // SIOCGARP
        0x00008955, (uint)IoctlKind.Pass, // SIOCSARP
        0x00008970, (uint)IoctlKind.InterfaceMap, // SIOCGIFMAP
        0x00008971, (uint)IoctlKind.InterfaceMap, // SIOCSIFMAP
        0x00008982, (uint)IoctlKind.Pass | (56u << 8), // SIOCGIFVLAN
        0x00008983, (uint)IoctlKind.Pass | (56u << 8), // SIOCSIFVLAN
        0x00008990, (uint)IoctlKind.InterfaceRequest, // SIOCBONDENSLAVE
        0x00008991, (uint)IoctlKind.InterfaceRequest, // SIOCBONDRELEASE
        0x00008992, (uint)IoctlKind.InterfaceRequest, // SIOCBONDSETHWADDR
        0x00008993, (uint)IoctlKind.InterfaceData, // SIOCBONDSLAVEINFOQUERY
        0x00008994, (uint)IoctlKind.InterfaceData, // SIOCBONDINFOQUERY
        0x00008995, (uint)IoctlKind.InterfaceRequest, // SIOCBONDCHANGEACTIVE
        0x000089a0, (uint)IoctlKind.Pass, // SIOCBRADDBR
        0x000089a1, (uint)IoctlKind.Pass, // SIOCBRDELBR
        0x000089a2, (uint)IoctlKind.InterfaceRequest, // SIOCBRADDIF
        0x000089a3, (uint)IoctlKind.InterfaceRequest, // SIOCBRDELIF
        0x000089b0, (uint)IoctlKind.InterfaceData, // SIOCSHWTSTAMP
        0x000089b1, (uint)IoctlKind.InterfaceData, // SIOCGHWTSTAMP
        0x0000b701, (uint)IoctlKind.Pass, // NS_GET_USERNS
        0x0000b702, (uint)IoctlKind.Pass, // NS_GET_PARENT
        0x0000b703, (uint)IoctlKind.Pass, // NS_GET_NSTYPE
        0x0000b704, (uint)IoctlKind.Pass | (4u << 8), // NS_GET_OWNER_UID
        0x40041271, (uint)IoctlKind.PassWide, // BLKBSZSET_32
        0x40042406, (uint)IoctlKind.PassWide, // PERF_EVENT_IOC_SET_FILTER
        0x40045201, (uint)IoctlKind.Pass, // RNDADDTOENTCNT
        0x40045431, (uint)IoctlKind.Pass, // TIOCSPTLCK
        0x40045436, (uint)IoctlKind.Pass, // TIOCSIG
        0x400454c8, (uint)IoctlKind.Pass, // TUNSETNOCSUM
        0x400454c9, (uint)IoctlKind.Pass, // TUNSETDEBUG
        0x400454ca, (uint)IoctlKind.InterfaceRequest, // TUNSETIFF
        0x400454cb, (uint)IoctlKind.Pass, // TUNSETPERSIST
        0x400454cc, (uint)IoctlKind.Pass, // TUNSETOWNER
        0x400454cd, (uint)IoctlKind.Pass, // TUNSETLINK
        0x400454ce, (uint)IoctlKind.Pass, // TUNSETGROUP
        0x400454d0, (uint)IoctlKind.Pass, // TUNSETOFFLOAD
        0x400454d4, (uint)IoctlKind.Pass, // TUNSETSNDBUF
        0x400454d8, (uint)IoctlKind.Pass, // TUNSETVNETHDRSZ
        0x400454d9, (uint)IoctlKind.InterfaceRequest, // TUNSETQUEUE
        0x40046602, (uint)IoctlKind.PassWide, // FS_IOC32_SETFLAGS
        0x40047211, (uint)IoctlKind.Pass, // FAT_IOCTL_SET_ATTRIBUTES
        0x40047602, (uint)IoctlKind.PassWide, // FS_IOC32_SETVERSION
        0x40049409, (uint)IoctlKind.Pass, // FICLONE
        0x40082404, (uint)IoctlKind.Pass, // PERF_EVENT_IOC_PERIOD
        0x40085203, (uint)IoctlKind.Pass, // RNDADDENTROPY
        0x40085400, (uint)IoctlKind.Pass, // TFD_IOC_SET_TICKS
        0x40088a01, (uint)IoctlKind.Pass, // EPIOCSPARAMS
        0x400c6615, (uint)IoctlKind.Pass, // FS_IOC_GET_ENCRYPTION_POLICY
        0x401c5820, (uint)IoctlKind.Pass, // FS_IOC_FSSETXATTR
        0x4020940d, (uint)IoctlKind.Pass, // FICLONERANGE
        0x40247007, (uint)IoctlKind.Pass, // RTC_ALM_SET
        0x4024700a, (uint)IoctlKind.Pass, // RTC_SET_TIME
        0x4028700f, (uint)IoctlKind.Pass, // RTC_WKALM_SET
        0x402c542b, (uint)IoctlKind.Pass, // TCSETS2
        0x402c542c, (uint)IoctlKind.Pass, // TCSETSW2
        0x402c542d, (uint)IoctlKind.Pass, // TCSETSF2
        0x40806685, (uint)IoctlKind.Pass, // FS_IOC_ENABLE_VERITY
        0x41009432, (uint)IoctlKind.Pass, // FS_IOC_SETFSLABEL
        0x80041270, (uint)IoctlKind.PassWide | (4u << 8), // BLKBSZGET_32
        0x80041272, (uint)IoctlKind.PassWide | (8u << 8), // BLKGETSIZE64_32
        0x80042407, (uint)IoctlKind.PassWide | (8u << 8), // PERF_EVENT_IOC_ID
        0x80045200, (uint)IoctlKind.Pass | (4u << 8), // RNDGETENTCNT
        0x80045430, (uint)IoctlKind.Pass | (4u << 8), // TIOCGPTN
        0x80045432, (uint)IoctlKind.Pass | (4u << 8), // TIOCGDEV
        0x80045438, (uint)IoctlKind.Pass | (4u << 8), // TIOCGPKT
        0x80045439, (uint)IoctlKind.Pass | (4u << 8), // TIOCGPTLCK
        0x80045440, (uint)IoctlKind.Pass | (4u << 8), // TIOCGEXCL
        0x800454cf, (uint)IoctlKind.Pass | (4u << 8), // TUNGETFEATURES
        0x800454d2, (uint)IoctlKind.InterfaceRequest, // TUNGETIFF
        0x800454d3, (uint)IoctlKind.Pass | (4u << 8), // TUNGETSNDBUF
        0x800454d7, (uint)IoctlKind.Pass | (4u << 8), // TUNGETVNETHDRSZ
        0x80046601, (uint)IoctlKind.PassWide | (4u << 8), // FS_IOC32_GETFLAGS
        0x80047210, (uint)IoctlKind.Pass | (4u << 8), // FAT_IOCTL_GET_ATTRIBUTES
        0x80047213, (uint)IoctlKind.Pass | (4u << 8), // FAT_IOCTL_GET_VOLUME_ID
        0x80047601, (uint)IoctlKind.PassWide | (4u << 8), // FS_IOC32_GETVERSION
        0x80081280, (uint)IoctlKind.Pass | (8u << 8), // BLKGETDISKSEQ
        0x80088a02, (uint)IoctlKind.Pass | (8u << 8), // EPIOCGPARAMS
        0x800c6613, (uint)IoctlKind.Pass | (12u << 8), // FS_IOC_SET_ENCRYPTION_POLICY
        0x8010661b, (uint)IoctlKind.Pass | (16u << 8), // FS_IOC_GET_ENCRYPTION_NONCE
        0x80108906, (uint)IoctlKind.Pass | (16u << 8), // SIOCGSTAMP_NEW
        0x80108907, (uint)IoctlKind.Pass | (16u << 8), // SIOCGSTAMPNS_NEW
        0x80111500, (uint)IoctlKind.Pass | (17u << 8), // FS_IOC_GETFSUUID
        0x801c581f, (uint)IoctlKind.Pass | (28u << 8), // FS_IOC_FSGETXATTR
        0x80247008, (uint)IoctlKind.Pass | (36u << 8), // RTC_ALM_READ
        0x80247009, (uint)IoctlKind.Pass | (36u << 8), // RTC_RD_TIME
        0x80285442, (uint)IoctlKind.Pass | (40u << 8), // TIOCGISO7816
        0x80287010, (uint)IoctlKind.Pass | (40u << 8), // RTC_WKALM_RD
        0x802c542a, (uint)IoctlKind.Pass | (44u << 8), // TCGETS2
        0x80811501, (uint)IoctlKind.Pass | (129u << 8), // FS_IOC_GETFSSYSFSPATH
        0x81009431, (uint)IoctlKind.Pass | (256u << 8), // FS_IOC_GETFSLABEL
        0xc0045877, (uint)IoctlKind.Pass | (4u << 8), // FIFREEZE
        0xc0045878, (uint)IoctlKind.Pass | (4u << 8), // FITHAW
        0xc0096616, (uint)IoctlKind.Pass | (9u << 8), // FS_IOC_GET_ENCRYPTION_POLICY_EX
        0xc0185879, (uint)IoctlKind.Pass | (24u << 8), // FITRIM
        0xc0189436, (uint)IoctlKind.DedupeRange, // FIDEDUPERANGE
        0xc020660b, (uint)IoctlKind.ExtentMap, // FS_IOC_FIEMAP
        0xc0285443, (uint)IoctlKind.Pass | (40u << 8), // TIOCSISO7816
        0xc0406618, (uint)IoctlKind.Pass | (64u << 8), // FS_IOC_REMOVE_ENCRYPTION_KEY
        0xc0406619, (uint)IoctlKind.Pass | (64u << 8), // FS_IOC_REMOVE_ENCRYPTION_KEY_ALL_USERS
        0xc0506617, (uint)IoctlKind.Pass | (80u << 8), // FS_IOC_ADD_ENCRYPTION_KEY
        0xc080661a, (uint)IoctlKind.Pass | (128u << 8), // FS_IOC_GET_ENCRYPTION_KEY_STATUS
    ];
}
