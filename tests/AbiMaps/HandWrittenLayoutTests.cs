using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using Lodge.Shim;
using Xunit;

namespace Lodge.AbiMaps.Tests;

/// <summary>Structures and offsets that the shim spells out itself, against the layouts from debug information.</summary>
public class HandWrittenLayoutTests
{
    private static readonly Dictionary<(string Abi, string Name), Layout> s_layouts = LayoutTable.Parse(File.ReadAllText(Path.Combine(Root(), "abi-maps/tables/layouts.tsv")))
        .ToDictionary(l => (l.Abi, l.Name));

    /// <summary>Size, and the offset of every field whose name the table knows.</summary>
    [Theory]
    [InlineData("I386SigContext", Abi.I386, "sigcontext_32", 22)]
    [InlineData("I386SigFrame", Abi.I386, "sigframe_ia32", 6)]
    [InlineData("I386UContext", Abi.I386, "ucontext_ia32", 4)]
    [InlineData("I386RtSigFrame", Abi.I386, "rt_sigframe_ia32", 7)]
    [InlineData("GuestSigAction", Abi.I386, "compat_sigaction", 3)]
    [InlineData("GuestSigAction", Abi.Arm, "compat_sigaction", 3)]
    [InlineData("GuestOldSigAction", Abi.I386, "compat_old_sigaction", 4)]
    [InlineData("GuestOldSigAction", Abi.Arm, "compat_old_sigaction", 4)]
    [InlineData("AltStack+Stack", Abi.I386, "sigaltstack", 3)]
    [InlineData("AltStack+Stack", Abi.Arm, "sigaltstack", 3)]
    public void Structures(string type, string abi, string name, int fields)
    {
        Type own = typeof(I386Dispatch).Assembly.GetType("Lodge.Shim." + type, true)!;
        Layout layout = s_layouts[(abi, name)];
        Assert.Equal(layout.Size, Marshal.SizeOf(own));
        int seen = 0;
        foreach (FieldInfo field in own.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public))
        {
            LayoutField known = layout.Fields.FirstOrDefault(f => f.Name == field.Name);
            if (known.Name is not null)
            {
                Assert.Equal((field.Name, known.Offset), (field.Name, (int)Marshal.OffsetOf(own, field.Name)));
                seen++;
            }
        }
        Assert.True(seen >= fields, $"{seen} of {fields} fields have the kernel's names");
    }

    /// <summary>Offsets that handlers use as numbers.</summary>
    [Theory]
    [InlineData(Abi.I386, "sigframe_ia32", "sc", 8)]
    [InlineData(Abi.I386, "sigframe_ia32", "extramask", 720)]
    [InlineData(Abi.I386, "sigframe_ia32", "retcode", 724)]
    [InlineData(Abi.I386, "_fpstate_32", "_fxsr_env", 112)]
    [InlineData(Abi.X64, "siginfo", "si_code", 8)]
    [InlineData(Abi.X64, "siginfo", "_sifields_sigfault_addr", 16)]
    [InlineData(Abi.Arm64, "siginfo", "_sifields_sigfault_addr", 16)]
    [InlineData(Abi.I386, "robust_list_head", "futex_offset", 4)]
    [InlineData(Abi.I386, "robust_list_head", "list_op_pending", 8)]
    [InlineData(Abi.Arm, "robust_list_head", "futex_offset", 4)]
    [InlineData(Abi.I386, "linux_dirent", "d_off", 4)]
    [InlineData(Abi.I386, "linux_dirent", "d_reclen", 8)]
    [InlineData(Abi.I386, "linux_dirent", "d_name", 10)]
    [InlineData(Abi.I386, "old_linux_dirent", "d_namlen", 8)]
    [InlineData(Abi.I386, "linux_dirent64", "d_type", 18)]
    [InlineData(Abi.Arm, "linux_dirent64", "d_name", 19)]
    [InlineData(Abi.Arm, "compat_ucontext", "uc_regspace", 232)]
    public void Offsets(string abi, string name, string field, int offset) => Assert.Equal(offset, s_layouts[(abi, name)].Fields.Single(f => f.Name == field).Offset);

    [Theory]
    [InlineData("UContextSize", "compat_ucontext")]
    [InlineData("FrameSize", "compat_sigframe")]
    [InlineData("VfpSize", "compat_vfp_sigframe")]
    public void ArmFrameConstants(string constant, string name) => Assert.Equal((uint)s_layouts[(Abi.Arm, name)].Size,
        typeof(I386Dispatch).Assembly.GetType("Lodge.Shim.ArmSignals", true)!.GetField(constant, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!.GetRawConstantValue());

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, "abi-maps/hand")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new InvalidOperationException("no repository above the test");
    }
}
