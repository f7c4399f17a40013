using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Lodge.Cli.Binfmt;

/// <summary>
/// A kind of program that binfmt_misc recognises: the one table behind <c>lodge binfmt</c> and the files for systemd-binfmt.
/// <see cref="Magic"/> and <see cref="Mask"/> begin at the file's first byte.
/// </summary>
internal sealed record BinfmtFormat(string Guest, ushort Machine, string Kernel)
{
    /// <summary>
    /// P: argv[0] is kept. O: the program is handed over open. C: privileges come from the program, not from the shim. F: the shim is
    /// opened when it is registered and works in every chroot, container and mount namespace.
    /// </summary>
    public const string Flags = "POCF";

    /// <summary>The variant in which set-uid programs run without their privileges.</summary>
    public const string FlagsWithoutCredentials = "POF";

    /// <summary>All formats. Machines are EM_386 and EM_ARM of include/uapi/linux/elf-em.h.</summary>
    public static readonly IReadOnlyList<BinfmtFormat> All =
    [
        new("i386", 3, "CONFIG_IA32_EMULATION"),
        new("arm", 40, "AArch32 EL0 (CONFIG_COMPAT)"),
    ];

    /// <summary>The entry's name in binfmt_misc.</summary>
    public string Name => "lodge-" + Guest;

    /// <summary>ELF, padding zero, ET_EXEC (2) or ET_DYN (3), the machine.</summary>
    public byte[] Magic => [0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, (byte)Machine, (byte)(Machine >> 8)];

    /// <summary>
    /// Bits of <see cref="Magic"/> that count: not the one bit in which ET_EXEC and ET_DYN differ, and not class, byte order, version and OS ABI, at
    /// which the
    /// kernel's own loader does not look either: where it runs such programs, a file with an odd one would run natively.
    /// </summary>
    public byte[] Mask => [.. Magic.Select((_, index) => index switch { >= 4 and <= 7 => (byte)0, 16 => (byte)0xfe, _ => (byte)0xff })];

    /// <summary>The format of that name; null when there is none.</summary>
    public static BinfmtFormat? Find(string guest) => All.FirstOrDefault(format => format.Guest == guest);

    /// <summary>What is written to binfmt_misc's file "register", or stands in a file below binfmt.d.</summary>
    public string Line(string interpreter, string flags) => $":{Name}:M::{Escape(Magic)}:{Escape(Mask)}:{interpreter}:{flags}";

    /// <summary>Would the entry with this magic and mask (from offset 0) take programs of this format?</summary>
    public bool IsTakenBy(byte[] magic, byte[] mask)
    {
        byte[] ours = Magic;
        for (int i = 0; i < magic.Length && i < ours.Length; i++)
        {
            byte bits = i < mask.Length ? mask[i] : (byte)0xff;
            if (((magic[i] ^ ours[i]) & bits & Mask[i]) != 0)
            {
                return false;
            }
        }

        return magic.Length >= 4;
    }

    private static string Escape(byte[] bytes)
    {
        StringBuilder text = new();
        foreach (byte value in bytes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
        }

        return text.ToString();
    }
}
