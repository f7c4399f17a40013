using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Lodge.Cli.Disasm;

/// <summary>
/// Code of a running guest, out of /proc/PID/mem: guest addresses are host addresses. Whoever reads it must be allowed to trace
/// the process. The bytes are those of the moment.
/// </summary>
internal sealed class ProcessCode(int pid) : IGuestCode
{
    private const int Most = 1 << 20;

    /// <inheritdoc/>
    public uint? Entry => null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<uint, string> Symbols { get; } = new Dictionary<uint, string>();

    /// <inheritdoc/>
    public CodeRange? At(uint address)
    {
        string directory = $"/proc/{pid.ToString(CultureInfo.InvariantCulture)}";
        if (!Directory.Exists(directory))
        {
            throw new CommandException(ExitCode.Failure, $"no process {pid}");
        }

        try
        {
            foreach (string line in File.ReadLines(directory + "/maps"))
            {
                // START-END PERMISSIONS …
                int dash = line.IndexOf('-', StringComparison.Ordinal), blank = line.IndexOf(' ', StringComparison.Ordinal);
                ulong start = ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                ulong end = ulong.Parse(line.AsSpan(dash + 1, blank - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                if (address < start || address >= end || line[blank + 1] != 'r')
                {
                    continue;
                }

                byte[] bytes = new byte[Math.Min(end - address, Most)];
                using FileStream memory = new(directory + "/mem", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
                memory.Position = address;
                int read = memory.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
                return new CodeRange(address, bytes[..read]);
            }
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NotPermitted,
                $"process {pid}: not permitted: it must be one's own and not set-uid, or one must be root");
        }

        return null;
    }
}
