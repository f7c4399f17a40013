using System.Runtime.InteropServices;

namespace Lodge.Shim;

/// <summary>Strings of an exec, and how the new program shows itself to others.</summary>
public static unsafe partial class Loader
{
    /// <summary>struct prctl_mm_map, 64-bit.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct prctl_mm_map
    {
        public ulong start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start, env_end, auxv;
        public uint auxv_size, exe_fd;
    }

    /// <summary>What becomes of a process whose exec failed behind the point of no return: killed by SIGSEGV, as the kernel does it.</summary>
    public static void DieBehindPointOfNoReturn()
    {
        const int SigSegv = 11, SigUnblock = 1, SignalSetBytes = 8;
        ulong* action = stackalloc ulong[4];
        for (int i = 0; i < 4; i++)
        {
            action[i] = 0;
        }

        Host.Syscall(Nr.rt_sigaction, SigSegv, (long)action, 0, SignalSetBytes);
        action[0] = 1ul << (SigSegv - 1);
        Host.Syscall(Nr.rt_sigprocmask, SigUnblock, (long)action, 0, SignalSetBytes);
        Host.Syscall(Nr.kill, Host.Syscall(Nr.getpid), SigSegv);
        Host.ExitGroup(128 + SigSegv);
    }

    /// <summary>Length of a zero-terminated string. Reads whole words, none of which reaches into another page.</summary>
    internal static uint Length(byte* text)
    {
        const ulong Ones = 0x0101010101010101, Tops = 0x8080808080808080;
        byte* end = text;
        while (((nuint)end & 7) != 0)
        {
            if (*end == 0)
            {
                return (uint)(end - text);
            }

            end++;
        }

        // A top bit for each byte that is 0, and perhaps for some behind the first of these.
        while ((unchecked(*(ulong*)end - Ones) & ~*(ulong*)end & Tops) == 0)
        {
            end += 8;
        }

        while (*end != 0)
        {
            end++;
        }

        return (uint)(end - text);
    }

    /// <summary>
    /// Adds the strings up and applies the kernel's limits (bprm_stack_limits, MAX_ARG_STRLEN): E2BIG.
    /// </summary>
    private static int CheckStrings(GuestThread* t, in ExecRequest request, out uint bytes)
    {
        const ulong MaxArgStrlen = 128 << 10, ArgMax = 128 << 10, Ceiling = 6 << 20;
        bytes = 0;
        ulong limit = t->Group->Limits.Stack / 4;
        limit = limit > Ceiling ? Ceiling : limit < ArgMax ? ArgMax : limit;
        ulong pointers = ((ulong)(uint)(request.Argc == 0 ? 1 : request.Argc) + (uint)request.Envc) * 8;
        if (limit <= pointers)
        {
            return -Errno.E2BIG;
        }

        ulong sum = Length(request.Path) + 1;
        for (int i = 0; i < request.Argc + request.Envc; i++)
        {
            ulong length = Length(i < request.Argc ? request.Argv[i] : request.Envp[i - request.Argc]) + 1;
            sum += length;
            if (length > MaxArgStrlen || sum > limit - pointers)
            {
                return -Errno.E2BIG;
            }
        }

        bytes = (uint)sum + (request.Argc == 0 ? 1u : 0);
        return 0;
    }

    /// <summary>
    /// Gives the kernel the guest's view of the process: /proc/PID/cmdline, environ, stat and auxv read right for others, and the thread is
    /// named after the program, unless <paramref name="path"/> is null. Errors do no harm: then others see the shim.
    /// </summary>
    private static void DescribeProcess(Mm* mm, byte* path)
    {
        const int PrSetName = 15, PrSetMm = 35, PrSetMmMap = 14;
        prctl_mm_map map = default;
        map.start_code = mm->StartCode < mm->EndCode ? mm->StartCode : Mm.LowestAddress;
        map.end_code = mm->StartCode < mm->EndCode ? mm->EndCode : Mm.LowestAddress + 1;
        map.start_data = mm->StartData < Mm.LowestAddress ? Mm.LowestAddress : mm->StartData;
        map.end_data = mm->EndData < map.start_data ? map.start_data : mm->EndData;
        map.start_brk = mm->StartBrk;
        map.brk = mm->Brk;
        map.start_stack = mm->StartStack;
        map.arg_start = mm->ArgStart;
        map.arg_end = mm->ArgEnd;
        map.env_start = mm->EnvStart;
        map.env_end = mm->EnvEnd;
        map.auxv = (ulong)mm->SavedAuxv;
        map.auxv_size = mm->AuxvLength;
        map.exe_fd = uint.MaxValue;
        mm->IsDescribed = Host.Syscall(Nr.prctl, PrSetMm, PrSetMmMap, (long)&map, sizeof(prctl_mm_map), 0) == 0;

        if (path == null)
        {
            return;
        }

        byte* name = path;
        for (byte* at = path; *at != 0; at++)
        {
            if (*at == '/')
            {
                name = at + 1;
            }
        }

        Host.Syscall(Nr.prctl, PrSetName, (long)name);
    }
}
