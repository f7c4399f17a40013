using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using Lodge.Client;
using Lodge.Protocol;

namespace Lodge.Cli.Guests;

/// <summary><c>lodge ps</c>: the guests that the service knows.</summary>
internal static class PsCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Option<bool> ended = new("-a", "--ended") { Description = "List guests that ended lately, too, with how." };
        Option<string?> socket = ServiceOptions.Socket();
        Command command = new("ps",
            "List running guests: one's own, or all for root. Flags: b by binfmt_misc, e by another guest's execve, r with a root directory, s set-uid, t traced.") { ended, socket };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(ended), parsed.GetValue(socket)));
        return command;
    }

    private static int Run(ParseResult parsed, bool ended, string? socket)
    {
        Output output = Output.For(parsed);
        List<Guest> guests;
        using (ServiceClient client = ServiceOptions.Connect(socket))
        {
            try
            {
                guests = client.Guests(ended ? GuestQuery.Live | GuestQuery.Ended : GuestQuery.Live);
            }
            catch (ServiceException refused)
            {
                throw ServiceOptions.Failure(refused);
            }
        }

        if (output.Json)
        {
            output.Write(new JsonArray([.. guests.Select(guest => (JsonNode)GuestText.Json(guest))]));
            return ExitCode.Success;
        }

        TextTable table = ended ? new(">PID", "USER", "GUEST", "FLAGS", "STARTED", "END", "PROGRAM")
            : new(">PID", "USER", "GUEST", "FLAGS", "STARTED", ">CPU", ">RSS KiB", "PROGRAM");
        foreach (Guest guest in guests)
        {
            string pid = guest.Entry.Pid.ToString(CultureInfo.InvariantCulture), user = GuestText.User(guest.Entry.Uid),
                abi = GuestText.Abi(guest.Entry.Abi);
            string flags = GuestText.Flags(guest.Entry.Flags), started = GuestText.Time(guest.Started), program = GuestText.Program(guest);
            if (ended)
            {
                table.Add(pid, user, abi, flags, started, GuestText.End(guest), program);
                continue;
            }

            ProcessSample? sample = ProcessSample.Read(guest.Entry.Pid, guest.Entry.ProcessStartTicks);
            string cpu = sample == null ? "-" : TimeSpan.FromSeconds(sample.CpuTicks / ProcessSample.TicksPerSecond).ToString("h\\:mm\\:ss\\.ff",
                CultureInfo.InvariantCulture);
            table.Add(pid, user, abi, flags, started, cpu, sample?.ResidentKiB.ToString(CultureInfo.InvariantCulture) ?? "-", program);
        }

        output.Write(table);
        return ExitCode.Success;
    }
}
