using System;
using System.Collections.Generic;
using System.IO;

namespace Lodge.Cli.Binfmt;

/// <summary>An entry of the kernel's binfmt_misc, as the file of its name shows it.</summary>
internal sealed record BinfmtEntry(string Name, bool Enabled, string Interpreter, string Flags, int Offset, byte[] Magic, byte[] Mask)
{
    /// <summary>The file system's place.</summary>
    public const string Directory = "/proc/sys/fs/binfmt_misc";

    /// <summary>Is binfmt_misc mounted here?</summary>
    public static bool IsMounted => File.Exists(Path.Combine(Directory, "register"));

    /// <summary>All entries that recognise by magic.</summary>
    public static IEnumerable<BinfmtEntry> ReadAll()
    {
        foreach (string file in System.IO.Directory.Exists(Directory) ? System.IO.Directory.GetFiles(Directory) : [])
        {
            string name = Path.GetFileName(file);
            if (name is not ("register" or "status") && Parse(name, File.ReadAllLines(file)) is { } entry)
            {
                yield return entry;
            }
        }
    }

    /// <summary>Reads an entry's lines; null when it goes by file extension.</summary>
    public static BinfmtEntry? Parse(string name, string[] lines)
    {
        string interpreter = "", flags = "";
        byte[] magic = [], mask = [];
        int offset = 0;
        bool enabled = false;
        foreach (string line in lines)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            string key = space < 0 ? line : line[..space], value = space < 0 ? "" : line[(space + 1)..];
            switch (key)
            {
                case "enabled":
                    enabled = true;
                    break;
                case "interpreter":
                    interpreter = value;
                    break;
                case "flags:":
                    flags = value;
                    break;
                case "offset":
                    offset = int.Parse(value, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case "magic":
                    magic = Convert.FromHexString(value);
                    break;
                case "mask":
                    mask = Convert.FromHexString(value);
                    break;
            }
        }

        return magic.Length == 0 ? null : new BinfmtEntry(name, enabled, interpreter, flags, offset, magic, mask);
    }

    /// <summary>Adds an entry in front of all others. Throws with the kernel's reason.</summary>
    public static void Register(string line)
    {
        if (!IsMounted)
        {
            throw new CommandException(ExitCode.Failure, $"binfmt_misc is not mounted: mount -t binfmt_misc binfmt_misc {Directory}");
        }

        Write("register", line);
    }

    /// <summary>Takes the entry out.</summary>
    public void Remove() => Write(Name, "-1");

    private static void Write(string file, string text)
    {
        try
        {
            using FileStream stream = new(Path.Combine(Directory, file), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        }
        catch (UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.NotPermitted,
                $"{Directory}/{file}: not permitted; be root (of the user namespace that binfmt_misc was mounted in)");
        }
        catch (IOException failure)
        {
            throw new CommandException(ExitCode.Failure, $"{Directory}/{file}: {failure.Message}");
        }
    }
}
