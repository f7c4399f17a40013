using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;

namespace Lodge.Cli.Binfmt;

/// <summary><c>lodge binfmt</c>: the kernel's binfmt_misc hands 32-bit programs to the shim, wherever they are started.</summary>
internal static class BinfmtCommand
{
    private static readonly Option<FileInfo?> s_interpreter = new("--interpreter")
    {
        Description = "The shim to register. Default: the one of this installation.",
        HelpName = "FILE",
    };

    private static readonly Option<bool> s_noCredentials = new("--no-credentials")
    {
        Description = "Leave flag C out: set-uid and set-gid programs run without their privileges.",
    };

    private static readonly Option<bool> s_force = new("--force")
    {
        Description = "Take programs from a kernel that runs them itself, too.",
    };

    private static readonly Option<bool> s_print = new("--print")
    {
        Description = "Print what would be registered (the form of binfmt.d files), and register nothing.",
    };

    /// <summary>The command and its three subcommands.</summary>
    public static Command Create()
    {
        Argument<string[]> required = Guests(ArgumentArity.OneOrMore);
        Command register = new("register", "Send programs to the shim.") { required, s_interpreter, s_noCredentials, s_force, s_print };
        register.SetAction(parsed => Register(parsed, parsed.GetRequiredValue(required)));
        Argument<string[]> removed = Guests(ArgumentArity.OneOrMore);
        Command unregister = new("unregister", "Send them no longer. Not registered is no error.") { removed };
        unregister.SetAction(parsed => Unregister(parsed, parsed.GetRequiredValue(removed)));
        Argument<string[]> shown = Guests(ArgumentArity.ZeroOrMore);
        Command status = new("status",
            "Show what is registered, who else takes such programs, and whether the kernel runs them itself. Status 1 when one is not registered.") { shown };
        status.SetAction(parsed => Status(parsed, parsed.GetValue(shown) ?? []));
        return new Command("binfmt", "Start 32-bit programs transparently, through the kernel's binfmt_misc.") { register, unregister, status };
    }

    private static Argument<string[]> Guests(ArgumentArity arity)
    {
        Argument<string[]> guests = new("guest") { Description = "i386, arm or all.", Arity = arity };
        guests.AcceptOnlyFromAmong([.. BinfmtFormat.All.Select(format => format.Guest), "all"]);
        return guests;
    }

    private static IReadOnlyList<BinfmtFormat> Formats(string[] guests)
        => guests.Length == 0 || guests.Contains("all") ? BinfmtFormat.All : [.. BinfmtFormat.All.Where(format => guests.Contains(format.Guest))];

    private static int Register(ParseResult parsed, string[] guests)
    {
        string interpreter = parsed.GetValue(s_interpreter)?.FullName ?? Installation.Shim();
        string flags = parsed.GetValue(s_noCredentials) ? BinfmtFormat.FlagsWithoutCredentials : BinfmtFormat.Flags;
        Output output = Output.For(parsed);
        if (parsed.GetValue(s_print))
        {
            foreach (BinfmtFormat format in Formats(guests))
            {
                output.Line(format.Line(interpreter, flags));
            }

            return ExitCode.Success;
        }

        if (!File.Exists(interpreter) || interpreter.Contains(':', StringComparison.Ordinal) || interpreter.Contains(' ', StringComparison.Ordinal))
        {
            throw new CommandException(ExitCode.Failure, $"{interpreter}: not found, or a name that binfmt_misc cannot take (colon, blank)");
        }

        int status = ExitCode.Success;
        foreach (BinfmtFormat format in Formats(guests))
        {
            if (!parsed.GetValue(s_force) && NativeSupport.Probe(format) == Native.Yes)
            {
                Output.Complain($"{format.Guest}: not registered: this kernel runs such programs itself ({format.Kernel}); --force takes them from it");
                status = ExitCode.Negative;
                continue;
            }

            BinfmtEntry.ReadAll().FirstOrDefault(entry => entry.Name == format.Name)?.Remove();
            BinfmtEntry.Register(format.Line(interpreter, flags));
        }

        return status;
    }

    private static int Unregister(ParseResult parsed, string[] guests)
    {
        _ = parsed;
        foreach (BinfmtFormat format in Formats(guests))
        {
            BinfmtEntry.ReadAll().FirstOrDefault(entry => entry.Name == format.Name)?.Remove();
        }

        return ExitCode.Success;
    }

    private static int Status(ParseResult parsed, string[] guests)
    {
        Output output = Output.For(parsed);
        BinfmtEntry[] entries = [.. BinfmtEntry.ReadAll()];
        TextTable table = new("GUEST", "REGISTERED", "FLAGS", "INTERPRETER", "KERNEL", "OTHERS");
        JsonArray json = [];
        bool all = true;
        foreach (BinfmtFormat format in Formats(guests))
        {
            BinfmtEntry? ours = entries.FirstOrDefault(entry => entry.Name == format.Name);
            string[] others = [.. entries.Where(entry => entry != ours && entry.Enabled && entry.Offset == 0
                && format.IsTakenBy(entry.Magic, entry.Mask)).Select(entry => entry.Name)];
            Native native = NativeSupport.Probe(format);
            bool registered = ours is { Enabled: true };
            all &= registered;
            string state = ours == null ? "no" : ours.Enabled ? "yes" : "disabled";
            string kernel = native switch { Native.Yes => "runs it itself", Native.No => "does not run it", _ => "unknown" };
            table.Add(format.Guest, state, ours?.Flags ?? "-", ours?.Interpreter ?? "-", kernel, others.Length == 0 ? "-" : string.Join(' ', others));
            json.Add(new JsonObject
            {
                ["guest"] = format.Guest,
                ["registered"] = ours != null,
                ["enabled"] = registered,
                ["flags"] = ours?.Flags,
                ["interpreter"] = ours?.Interpreter,
                ["nativeKernelSupport"] = native == Native.Unknown ? null : native == Native.Yes,
                ["others"] = new JsonArray([.. others.Select(name => JsonValue.Create(name))]),
            });
        }

        if (output.Json)
        {
            output.Write(new JsonObject { ["mounted"] = BinfmtEntry.IsMounted, ["formats"] = json });
        }
        else
        {
            output.Write(table);
        }

        if (!BinfmtEntry.IsMounted)
        {
            Output.Complain($"binfmt_misc is not mounted at {BinfmtEntry.Directory}");
        }

        return all ? ExitCode.Success : ExitCode.Negative;
    }
}
