using System;
using System.IO;
using Xunit;

namespace Lodge.AbiMaps.Tests;

/// <summary>The generate command on a kernel tree of a few lines.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lodge-abi-maps-").FullName;

    public CommandTests()
    {
        Put("kernel/arch/x86/entry/syscalls/syscall_32.tbl", "0 i386 read sys_read\n1 i386 magic sys_magic\n");
        Put("kernel/arch/x86/entry/syscalls/syscall_64.tbl", "0 common read sys_read\n");
        Put("kernel/arch/arm/tools/syscall.tbl", "0 common read sys_read\n2 common wrapped sys_wrapped\n");
        Put("kernel/arch/arm64/tools/syscall_32.tbl", "0 common read sys_read\n2 common wrapped sys_wrapped\n");
        Put("kernel/arch/arm/include/uapi/asm/unistd.h", "");
        Put("kernel/scripts/syscall.tbl", "0 common read sys_read\n1 renameat renameat sys_read\n");
        Put("kernel/arch/arm64/kernel/Makefile.syscalls", "syscall_abis_64 += renameat rlimit\n");
        Put("kernel/arch/arm64/kernel/sys.c", "");
        Put("kernel/include/asm-generic/compat.h", "");
        Put("kernel/include/linux/syscalls.h", "asmlinkage long sys_read(unsigned int fd, char __user *buf, size_t count);\n");
        Put("kernel/include/linux/compat.h", "");
        Put("kernel/include/linux/errno.h", "#define ERESTARTSYS 512\n");
        Put("kernel/include/uapi/asm-generic/errno-base.h", "#define EPERM 1\n");
        Put("kernel/include/uapi/asm-generic/errno.h", "#define ENOSYS 38\n");
        Put("kernel/fs/read_write.c", "SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf, size_t, count)\n{\n}\n");
        Put("kernel/tools/fake.c", "SYSCALL_DEFINE1(magic, int, not_scanned)\n");
        Put("abi-maps/hand/arguments.tsv", "");
    }

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void StopsOnOpenQuestionsAndWritesNothing()
    {
        Assert.Equal(1, Program.Main(["generate", "--root", _folder, "--kernel", Path.Combine(_folder, "kernel")]));
        Assert.False(Directory.Exists(Path.Combine(_folder, "abi-maps/tables")));
    }

    [Fact]
    public void WritesAllTablesOnceAnswered()
    {
        Put("abi-maps/hand/arguments.tsv", "i386\tsys_magic\t0\tnone\tassembly\narm\tsys_wrapped\t1\tx:int\tassembly\n");
        Assert.Equal(0, Program.Main(["generate", "--root", _folder, "--kernel", Path.Combine(_folder, "kernel")]));
        string arm = File.ReadAllText(Path.Combine(_folder, "abi-maps/tables/arm.tsv"));
        Assert.EndsWith("0\tread\tsys_read\t-\t3\tfd:fd,buf:ptr,count:ulong\n1\t-\t-\t-\t-\t-\n2\twrapped\tsys_wrapped\t-\t1\tx:int\n", arm, StringComparison.Ordinal);
        Assert.Contains("1\trenameat\t", File.ReadAllText(Path.Combine(_folder, "abi-maps/tables/arm64.tsv")), StringComparison.Ordinal);
        Assert.Contains("ENOSYS\t38\n", File.ReadAllText(Path.Combine(_folder, "abi-maps/tables/errno.tsv")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("generate")]
    [InlineData("nonsense", "--root", "/")]
    public void OtherArgumentsPrintTheUsage(params string[] arguments) => Assert.Equal(2, Program.Main([.. arguments, .. arguments.Length > 0 ? new[] { "--root", _folder } : []]));

    private void Put(string path, string text)
    {
        string full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
