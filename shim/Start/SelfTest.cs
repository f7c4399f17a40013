using System;

namespace Lodge.Shim;

/// <summary>
/// <c>lodge-shim --self-test</c>: checks on the running host what the shim takes for granted, one line per check. Also the proof that the
/// freestanding build works on a host that cannot run unit tests.
/// </summary>
public static unsafe partial class SelfTest
{
    private const ulong LowStart = 0x1_0000, LowEnd = 0x1_0000_0000;
    private const int ProtNone = 0, ProtRead = 1, ProtReadWrite = 3, ProtAll = 7;
    private const int MapPrivate = 2, MapAnonymous = 0x20, MapNoReserve = 0x4000, MapFixedNoReplace = 0x10_0000;

    // A page in the guest's range that the checks use.
    private const uint GuestPage = 0x1000_0000;

    /// <summary>Runs all checks.</summary>
    /// <returns>The exit status: 0 when all passed, else 1.</returns>
    public static int Run(in StartInfo start)
    {
        Report report = default;
        Startup(ref report, start);
        CoreLibrary(ref report);
        Syscalls(ref report);
        LowMemory(ref report);
        GeneratedCode(ref report);
        Record* record = PrepareThread(ref report);
        if (record != null)
        {
            GuestMemory(ref report);
            GuestCalls(ref report, record);
            Threads(ref report);
            BlockingCalls(ref report, record);
            Processes(ref report);
        }

        Line line = new(stackalloc byte[64]);
        line.Dec(report.Passed);
        line.Add(" passed, "u8);
        line.Dec(report.Failed);
        line.Add(" failed\n"u8);
        line.Flush(1);
        return report.Failed == 0 ? 0 : 1;
    }

    private static void Startup(ref Report report, in StartInfo start)
    {
        report.Check("start-up: arguments and environment"u8, start.Argc >= 1 && start.Argv[0] != null && start.Argv[start.Argc] == null, start.Argc);
        const ulong AtPageSize = 6, AtPhdr = 3;
        bool found = start.TryAux(AtPageSize, out ulong pageSize);
        report.Check("start-up: page size is 4096"u8, found && pageSize == 4096, (long)pageSize);
        found = start.TryAux(AtPhdr, out ulong headers);
        report.Check("start-up: image lies in its place"u8, found && headers >> 12 == Home.ImageStart >> 12, (long)headers);
        ulong local = 0;
        report.Check("start-up: stack lies above the guest's range"u8, (ulong)&local >= LowEnd, (long)&local);
    }

    private static void Syscalls(ref Report report)
    {
        long pid = Host.Syscall(Nr.getpid);
        report.Check("calls: no argument"u8, pid > 0 && pid == Host.Syscall(Nr.gettid), pid);
        long result = Host.Syscall(Nr.close, -1);
        report.Check("calls: errors are -errno"u8, result == -Errno.EBADF && Host.IsError(result), result);
        result = Host.Syscall(Nr.mmap, 0, 8192, ProtReadWrite, MapPrivate | MapAnonymous, -1, 0);
        report.Check("calls: six arguments"u8, !Host.IsError(result), result);
        ((byte*)result)[8191] = 1;
        report.Check("calls: two arguments"u8, Host.Syscall(Nr.munmap, result, 8192) == 0, 0);
    }

    private static void LowMemory(ref Report report)
    {
        const int Flags = MapPrivate | MapAnonymous | MapNoReserve | MapFixedNoReplace;
        long low = Host.Syscall(Nr.mmap, (long)LowStart, (long)(LowEnd - LowStart), ProtNone, Flags, -1, 0);
        report.Check("memory: [64 KiB, 4 GiB) is free"u8, low == (long)LowStart, low);
        Host.Syscall(Nr.munmap, (long)LowStart, (long)(LowEnd - LowStart));
        long own = Host.Syscall(Nr.mmap, 0, 4096, ProtReadWrite, MapPrivate | MapAnonymous, -1, 0);
        report.Check("memory: the kernel's own choice is far above it"u8, !Host.IsError(own) && (ulong)own >= Mm.ShimStart, own);
        long page = Host.Syscall(Nr.mmap, GuestPage, 4096, ProtReadWrite, MapPrivate | MapAnonymous | MapFixedNoReplace, -1, 0);
        report.Check("memory: a guest page"u8, page == GuestPage, page);
        if (page == GuestPage)
        {
            *(uint*)GuestPage = 0x12345678;
            report.Check("memory: guest address is host address"u8, *(byte*)GuestPage == 0x78, *(byte*)GuestPage);
        }
    }

    // Pages that are writable and executable at once, and code that has just been written.
    private static void GeneratedCode(ref Report report)
    {
        long page = Host.Syscall(Nr.mmap, 0, 4096, ProtAll, MapPrivate | MapAnonymous, -1, 0);
        report.Check("code: pages may be writable and executable"u8, !Host.IsError(page), page);
        if (Host.IsError(page))
        {
            return;
        }

        uint* code = (uint*)page;
        for (uint value = 1; value <= 2; value++)
        {
#if ARM64
            code[0] = 0x52800000 | (value << 5); // mov w0, #value
            code[1] = 0xD65F03C0; // ret
#else
            code[0] = 0xB8 | (value << 8); // mov eax, value
            code[1] = 0xC300; // ret
#endif
            Host.SynchroniseCode(code, code + 2);
            int result = ((delegate*<int>)page)();
            report.Check(value == 1 ? "code: new code runs"u8 : "code: rewritten code runs"u8, result == (int)value, result);
        }

        Host.Syscall(Nr.munmap, page, 4096);
    }

    private ref struct Report
    {
        internal int Passed;
        internal int Failed;

        /// <summary>One line: the outcome, the name, and on failure the value that was met.</summary>
        internal void Check(ReadOnlySpan<byte> name, bool ok, long met)
        {
            Line line = new(stackalloc byte[160]);
            line.Add(ok ? "ok    "u8 : "FAIL  "u8);
            line.Add(name);
            if (ok)
            {
                Passed++;
            }
            else
            {
                Failed++;
                line.Add(": met "u8);
                line.Dec(met);
                line.Add(" ("u8);
                line.Hex((ulong)met);
                line.Add(")"u8);
            }

            line.Add("\n"u8);
            line.Flush(1);
        }
    }
}
