using System.IO;
using Lodge.Config;
using Mono.Unix.Native;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>Modes of published files. Alone: the mask is the whole process's, and that of the programs that other tests start.</summary>
[Collection(nameof(Alone))]
public sealed class UmaskTests : Scratch
{
    [Fact]
    public void The_file_is_for_all_to_read_and_for_nobody_else_to_write()
    {
        string target = Path.Combine(Folder, "config.bin");
        FilePermissions before = Syscall.umask(FilePermissions.S_IRWXG | FilePermissions.S_IRWXO);
        try
        {
            CompiledFile.Publish(target, [1, 2, 3]);
        }
        finally
        {
            Syscall.umask(before);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(target));
    }
}
