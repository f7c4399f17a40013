using System.Collections.Generic;

namespace Lodge.Cli.Binfmt;

/// <summary>
/// Files for systemd-binfmt, from the same table as `lodge binfmt`. arm is enabled: no x86-64 kernel runs it. i386 is an example
/// that systemd-binfmt does not read: a file cannot decide whether the kernel runs such programs itself. @SHIM@ is replaced at installation.
/// </summary>
internal static class BinfmtFiles
{
    /// <summary>Paths below packaging, and texts.</summary>
    public static IEnumerable<(string Path, string Text)> All()
    {
        foreach (BinfmtFormat format in BinfmtFormat.All)
        {
            bool enabled = format.Guest == "arm";
            string why = enabled ? "# AArch32 programs are run by Lodge.\n"
                : "# An example, which systemd-binfmt does not read under this name: on a kernel that runs i386 programs itself it would take them away from it\n"
                    + "# (lodge binfmt status tells). To use it, copy it to /etc/binfmt.d/lodge-i386.conf, then: systemctl restart systemd-binfmt\n";
            yield return ($"binfmt.d/lodge-{format.Guest}.conf{(enabled ? "" : ".example")}", why
                + "# Flags: P keeps argv[0], O hands the program over open, C gives set-uid programs their privileges, F opens the shim now, so\n"
                + "# that it serves every chroot and container. Without C (POF) set-uid programs run without their privileges.\n"
                + format.Line("@SHIM@", BinfmtFormat.Flags) + "\n");
        }
    }
}
