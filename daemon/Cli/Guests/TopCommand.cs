using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using Lodge.Client;
using Lodge.Protocol;
using Spectre.Console;

namespace Lodge.Cli.Guests;

/// <summary><c>lodge top</c>: guests by what they use, live on a terminal, once when piped.</summary>
internal static class TopCommand
{
    private static readonly Option<double> s_interval = new("-d", "--interval") { Description = "Seconds between two looks.", HelpName = "SECONDS",
        DefaultValueFactory = _ => 2 };
    private static readonly Option<bool> s_once = new("--once") { Description = "Look for one interval, print, end. The default where standard output is no terminal." };
    private static readonly Option<string?> s_socket = ServiceOptions.Socket();

    private sealed record Row(Guest Guest, ProcessSample Sample, double Cpu);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("top", "Show guests by processor time and memory, live. q ends it.") { s_interval, s_once, s_socket };
        s_interval.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600))
            {
                result.AddError("--interval: from 0.1 to 3600 seconds");
            }
        });
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        TimeSpan interval = TimeSpan.FromSeconds(parsed.GetValue(s_interval));
        using ServiceClient client = ServiceOptions.Connect(parsed.GetValue(s_socket));
        try
        {
            Sampler sampler = new(client);
            _ = sampler.Next();
            if (parsed.GetValue(s_once) || output.Plain || output.Json)
            {
                Thread.Sleep(interval);
                List<Row> rows = sampler.Next();
                if (output.Json)
                {
                    output.Write(Json(rows));
                }
                else
                {
                    output.Write(Table(rows));
                }

                return ExitCode.Success;
            }

            AnsiConsole.Live(Screen(client.Status(), [])).Start(live =>
            {
                do
                {
                    live.UpdateTarget(Screen(client.Status(), sampler.Next()));
                }
                while (!Quit(interval));
            });
            return ExitCode.Success;
        }
        catch (ServiceException refused)
        {
            throw ServiceOptions.Failure(refused);
        }
    }

    /// <summary>Waits; true when "q" was typed.</summary>
    private static bool Quit(TimeSpan interval)
    {
        DateTime end = DateTime.UtcNow + interval;
        while (DateTime.UtcNow < end)
        {
            while (!Console.IsInputRedirected && Console.KeyAvailable)
            {
                if (Console.ReadKey(true).KeyChar is 'q' or 'Q')
                {
                    return true;
                }
            }

            Thread.Sleep(50);
        }

        return false;
    }

    private static Rows Screen(StatusMessage status, List<Row> rows)
    {
        string since = GuestText.Time(DateTimeOffset.UnixEpoch.AddMicroseconds(status.StartedMicroseconds));
        return new(new Text($"{status.Guests} guests, {status.Registrations} registered and {status.Exits} ended since {since}"),
            Table([.. rows.Take(Math.Max(Console.WindowHeight - 7, 5))]).ToSpectre());
    }

    private static TextTable Table(List<Row> rows)
    {
        TextTable table = new(">PID", "USER", "GUEST", "S", ">THREADS", ">CPU %", ">RSS KiB", ">TIME", "PROGRAM");
        foreach (Row row in rows)
        {
            table.Add(row.Guest.Entry.Pid.ToString(CultureInfo.InvariantCulture), GuestText.User(row.Guest.Entry.Uid),
                GuestText.Abi(row.Guest.Entry.Abi), row.Sample.State.ToString(),
                row.Sample.Threads.ToString(CultureInfo.InvariantCulture), row.Cpu.ToString("F1", CultureInfo.InvariantCulture),
                    row.Sample.ResidentKiB.ToString(CultureInfo.InvariantCulture),
                TimeSpan.FromSeconds(row.Sample.CpuTicks / ProcessSample.TicksPerSecond).ToString("h\\:mm\\:ss\\.ff", CultureInfo.InvariantCulture),
                    GuestText.Program(row.Guest));
        }

        return table;
    }

    private static JsonArray Json(List<Row> rows)
        => new([.. rows.Select(row =>
        {
            JsonObject value = GuestText.Json(row.Guest);
            value["state"] = row.Sample.State.ToString();
            value["threads"] = row.Sample.Threads;
            value["cpuPercent"] = Math.Round(row.Cpu, 1);
            value["cpuSeconds"] = row.Sample.CpuTicks / ProcessSample.TicksPerSecond;
            value["residentKiB"] = row.Sample.ResidentKiB;
            return (JsonNode)value;
        })]);

    /// <summary>Looks at all guests, and remembers their times for the next look.</summary>
    private sealed class Sampler(ServiceClient client)
    {
        private Dictionary<ulong, ulong> _ticks = [];
        private long _when;

        public List<Row> Next()
        {
            List<Row> rows = [];
            Dictionary<ulong, ulong> ticks = [];
            double seconds = Math.Max(Environment.TickCount64 - _when, 1) / 1000.0;
            _when = Environment.TickCount64;
            foreach (Guest guest in client.Guests(GuestQuery.Live))
            {
                if (ProcessSample.Read(guest.Entry.Pid, guest.Entry.ProcessStartTicks) is { } sample)
                {
                    ticks[guest.Entry.Id] = sample.CpuTicks;
                    ulong used = _ticks.TryGetValue(guest.Entry.Id, out ulong before) && sample.CpuTicks >= before ? sample.CpuTicks - before : 0;
                    rows.Add(new Row(guest, sample, used * 100 / ProcessSample.TicksPerSecond / seconds));
                }
            }

            _ticks = ticks;
            rows.Sort((left, right) => right.Cpu != left.Cpu ? right.Cpu.CompareTo(left.Cpu) : right.Sample.CpuTicks.CompareTo(left.Sample.CpuTicks));
            return rows;
        }
    }
}
