using System;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;

namespace Lodge.Cli.Disasm;

/// <summary><c>lodge disasm</c>: guest code beside the host code that the translator makes of it.</summary>
internal static class DisasmCommand
{
    private static readonly Argument<string[]> s_where = new("file address")
    {
        Description = "An i386 program and an address or function in it (default: its entry point); with --pid an address alone. Addresses are hexadecimal.",
        Arity = new ArgumentArity(1, 2),
        HelpName = "FILE [ADDRESS]|ADDRESS",
    };

    private static readonly Option<int?> s_pid = new("-p", "--pid") { Description = "Read the code of this running guest.", HelpName = "PID" };
    private static readonly Option<int> s_units = new("-n", "--units") { Description = "Units to show, one behind the other.", HelpName = "N",
        DefaultValueFactory = _ => 1 };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("disasm", "Show guest code beside the x86-64 code that is made of it.") { s_where, s_pid, s_units };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        string[] where = parsed.GetRequiredValue(s_where);
        int? pid = parsed.GetValue(s_pid);
        if (pid != null && where.Length != 1)
        {
            throw new CommandException(ExitCode.Usage, "--pid PID takes an address and no file");
        }

        IGuestCode code = pid is { } number ? new ProcessCode(number) : new ElfCode(where[0]);
        uint address = pid != null ? Address(where[0], code) : where.Length > 1 ? Address(where[1], code) : code.Entry!.Value;
        Output output = Output.For(parsed);
        JsonArray json = [];
        for (int shown = 0; shown < Math.Max(parsed.GetValue(s_units), 1); shown++)
        {
            CodeRange? range = code.At(address);
            TranslatedUnit? unit = range == null ? null : TranslatedUnit.At(range, address);
            if (unit == null)
            {
                if (shown == 0)
                {
                    throw new CommandException(ExitCode.Failure, string.Create(CultureInfo.InvariantCulture, $"no code at {address:x8}"));
                }

                break;
            }

            UnitListing listing = new(unit, code.Symbols);
            if (output.Json)
            {
                json.Add(listing.Json());
            }
            else
            {
                Print(output, listing, shown > 0, code.Symbols.TryGetValue(address, out string? name) ? name : null);
            }

            address = unit.Pc + (uint)unit.Guest.Length;
        }

        if (output.Json)
        {
            output.Write(json);
        }

        return ExitCode.Success;
    }

    private static void Print(Output output, UnitListing listing, bool next, string? name)
    {
        if (next)
        {
            output.Line("");
        }

        if (name != null)
        {
            output.Line(name + ":");
        }

        foreach (string line in listing.Lines())
        {
            output.Line(line);
        }
    }

    private static uint Address(string text, IGuestCode code)
    {
        if (code.Symbols.FirstOrDefault(symbol => symbol.Value == text) is { Value: not null } found)
        {
            return found.Key;
        }

        string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint address) ? address
            : throw new CommandException(ExitCode.Usage, $"{text}: neither a hexadecimal address nor a function of the program");
    }
}
