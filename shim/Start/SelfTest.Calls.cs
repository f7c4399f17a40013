namespace Lodge.Shim;

public static unsafe partial class SelfTest
{
    // Numbers that i386 and arm share (arch/x86/entry/syscalls/syscall_32.tbl, arch/arm/tools/syscall.tbl), and one that neither has.
    private const uint SysGetpid = 20, SysLlseek = 140, SysFtruncate64 = 194, SysFstat64 = 197, SysNone = 17;

    // struct stat64 (arch/*/include/uapi/asm/stat.h): arm aligns st_size to eight bytes.
    private const uint I386SizeOffset = 44, ArmSizeOffset = 48;

    /// <summary>Calls of both guests by number, from their register frames: numbers, 64-bit arguments and layouts differ between them.</summary>
    private static void GuestCalls(ref Report report, Record* record)
    {
        FilesStruct* files = (FilesStruct*)MapBlock();
        ThreadGroup* group = (ThreadGroup*)MapBlock();
        long file;
        fixed (byte* name = "self-test\0"u8)
        {
            file = Host.Syscall(Nr.memfd_create, (long)name, 0);
        }

        report.Check("guest calls: a file"u8, file >= 0, file);
        record->Thread.Files = files;
        record->Thread.Group = group;
        GuestCalls<I386Abi>(ref report, &record->Thread, (int)file, &I386Dispatch.Call, I386SizeOffset);
        GuestCalls<ArmAbi>(ref report, &record->Thread, (int)file, &ArmDispatch.Call, ArmSizeOffset);
        record->Thread.Files = null;
        record->Thread.Group = null;
        Host.Syscall(Nr.close, file);
        Host.Syscall(Nr.munmap, (long)files, StackSize);
        Host.Syscall(Nr.munmap, (long)group, StackSize);
    }

    private static void GuestCalls<TAbi>(ref Report report, GuestThread* t, int file, delegate*<GuestThread*, uint, int> call, uint sizeOffset)
        where TAbi : unmanaged, IGuestAbi
    {
        report.Check(TAbi.IsI386 ? "i386 calls: getpid"u8 : "arm calls: getpid"u8, call(t, SysGetpid) == Host.Syscall(Nr.getpid), 0);
        report.Check(TAbi.IsI386 ? "i386 calls: a number that is not there"u8 : "arm calls: a number that is not there"u8,
            call(t, SysNone) == -Errno.ENOSYS && call(t, uint.MaxValue) == -Errno.ENOSYS, 0);

        // Six gigabytes and a bit: both halves matter.
        const uint High = 1, Low = 0x8765_4321;
        SetArguments<TAbi>(t, (uint)file, Low, High);
        int result = call(t, SysFtruncate64);
        report.Check(TAbi.IsI386 ? "i386 calls: ftruncate64"u8 : "arm calls: ftruncate64"u8, result == 0, result);
        SetArguments<TAbi>(t, (uint)file, GuestPage);
        result = call(t, SysFstat64);
        bool read = User.Get(GuestPage + sizeOffset, out ulong size);
        report.Check(TAbi.IsI386 ? "i386 calls: fstat64"u8 : "arm calls: fstat64"u8, result == 0 && read && size == (((ulong)High << 32) | Low), (long)size);
        SetArguments<TAbi>(t, (uint)file, 0xFFFF_F000);
        result = call(t, SysFstat64);
        report.Check(TAbi.IsI386 ? "i386 calls: a bad pointer gives EFAULT"u8 : "arm calls: a bad pointer gives EFAULT"u8, result == -Errno.EFAULT, result);
        const int SeekEnd = 2;
        SetRegisters<TAbi>(t, (uint)file, uint.MaxValue, uint.MaxValue, GuestPage, SeekEnd);
        result = call(t, SysLlseek);
        read = User.Get(GuestPage, out size);
        report.Check(TAbi.IsI386 ? "i386 calls: _llseek"u8 : "arm calls: _llseek"u8,
            result == 0 && read && size == (((ulong)High << 32) | Low) - 1, (long)size);
    }

    /// <summary>(fd, 64-bit value): the value starts at an even register on arm.</summary>
    private static void SetArguments<TAbi>(GuestThread* t, uint fd, uint low, uint high)
        where TAbi : unmanaged, IGuestAbi
    {
        if (TAbi.IsI386)
        {
            SetRegisters<TAbi>(t, fd, low, high, 0, 0);
        }
        else
        {
            SetRegisters<TAbi>(t, fd, 0xDEAD_BEEF, low, high, 0);
        }
    }

    private static void SetArguments<TAbi>(GuestThread* t, uint fd, uint pointer)
        where TAbi : unmanaged, IGuestAbi => SetRegisters<TAbi>(t, fd, pointer, 0, 0, 0);

    private static void SetRegisters<TAbi>(GuestThread* t, uint a, uint b, uint c, uint d, uint e)
        where TAbi : unmanaged, IGuestAbi
    {
        if (TAbi.IsI386)
        {
            t->I386.ebx = a;
            t->I386.ecx = b;
            t->I386.edx = c;
            t->I386.esi = d;
            t->I386.edi = e;
        }
        else
        {
            t->Arm.orig_r0 = a;
            t->Arm.r[0] = a;
            t->Arm.r[1] = b;
            t->Arm.r[2] = c;
            t->Arm.r[3] = d;
            t->Arm.r[4] = e;
        }
    }
}
