using System;
using System.CommandLine;
using System.IO;
using System.Text;
using Lodge.Cli.Generate;
using Lodge.Config;
using Lodge.Protocol;
using Serilog.Events;

namespace Lodge.Service;

/// <summary>The service's command line.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        RootCommand root = new("The service of Lodge: knows the running 32-bit programs, takes their log lines, compiles the configuration.");
        Option<bool> system = new("--system") { Description = "serve all users (default when started by root)" };
        Option<bool> user = new("--user") { Description = "serve this user only (default otherwise)" };
        Option<string?> socket = new("--socket")
        {
            Description = "socket to listen on; default /run/lodge/lodged.sock or $XDG_RUNTIME_DIR/lodge/lodged.sock",
            HelpName = "PATH",
        };
        Option<string?> state = new("--state-dir")
        {
            Description = "where the table of guests and the compiled configuration are kept; "
                + "default $STATE_DIRECTORY or /var/lib/lodge, $XDG_RUNTIME_DIR/lodge",
            HelpName = "DIR",
        };
        Option<int> idle = new("--idle-exit") { Description = "end after SECONDS without a guest or a connection; 0: never", HelpName = "SECONDS" };
        Option<string> log = new("--log")
        {
            Description = "console, journal, file:PATH, or auto: the journal under systemd, else the console",
            DefaultValueFactory = _ => "auto",
            HelpName = "TARGET",
        };
        Option<LogEventLevel> level = new("--log-level")
        {
            Description = "least weight of what is logged",
            DefaultValueFactory = _ => LogEventLevel.Information,
        };
        Option<string> metrics = new("--metrics")
        {
            Description = "serve Prometheus metrics on unix:PATH or a port of the loopback, such as 127.0.0.1:9321",
            DefaultValueFactory = _ => "none",
            HelpName = "WHERE",
        };
        Option<string?> runAs = new("--run-as")
        {
            Description = "become USER once the directories are made (--system, without systemd)",
            HelpName = "USER",
        };
        Option<int> maxGuests = new("--max-guests") { Description = "most guests in the table", DefaultValueFactory = _ => 65_536, HelpName = "N" };
        Option<string?> configuration = new("--config-dir")
        {
            Description = "directory of lodge.jsonc and apps.d; default /etc/lodge or $XDG_CONFIG_HOME/lodge",
            HelpName = "DIR",
        };
        Option<bool> noWatch = new("--no-watch") { Description = "do not watch the configuration's files; SIGHUP reads them" };
        Option<bool> page = new("--man-page") { Description = "print the manual page", Hidden = true };
        foreach (Option option in (Option[])[system, user, socket, state, idle, log, level, metrics, runAs, maxGuests, configuration, noWatch, page])
        {
            root.Options.Add(option);
        }

        root.SetAction(result =>
        {
            if (result.GetValue(page))
            {
                Console.Out.Write(ManPage.Command(CommandModel.Of(root, "lodged"), "lodged", 8, ExitStatus.Meanings, ["lodge (1)"]));
                return ExitStatus.Success;
            }

            bool forAll = result.GetValue(system) || (!result.GetValue(user) && Mono.Unix.Native.Syscall.geteuid() == 0);
            ServiceOptions options = new()
            {
                System = forAll,
                Socket = Path.GetFullPath(result.GetValue(socket) ?? DefaultSocket(forAll)),
                StateDirectory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(result.GetValue(state) ?? DefaultState(forAll))),
                IdleSeconds = result.GetValue(idle),
                LogTarget = result.GetValue(log)!,
                LogLevel = result.GetValue(level),
                Metrics = result.GetValue(metrics)!,
                RunAs = result.GetValue(runAs),
                MaxGuests = result.GetValue(maxGuests),
                Watch = !result.GetValue(noWatch),
            };
            Validate(options, result.GetValue(system), result.GetValue(user));
            using Daemon daemon = new(options, Compiler(result.GetValue(configuration), forAll));
            daemon.Run();
            return ExitStatus.Success;
        });

        try
        {
            ParseResult parsed = root.Parse(arguments);
            int status = parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            return parsed.Errors.Count > 0 ? ExitStatus.Usage : status;
        }
        catch (StartException e)
        {
            Console.Error.WriteLine("lodged: " + e.Message);
            return e.Status;
        }
    }

    private static void Validate(ServiceOptions options, bool system, bool user)
    {
        string? wrong = (system && user) ? "--system and --user exclude each other"
            : options.RunAs != null && !system ? "--run-as needs --system"
            : options.IdleSeconds < 0 || options.MaxGuests < 1 ? "--idle-exit is 0 or more, --max-guests 1 or more"
            : options.LogTarget is not ("auto" or "console" or "journal") && !options.LogTarget.StartsWith("file:/", StringComparison.Ordinal)
                ? "--log is console, journal, auto, or file: and an absolute path"
            : null;
        if (wrong != null)
        {
            throw new StartException(ExitStatus.Usage, wrong);
        }
    }

    // A user without a home directory has no files of its own; the system's are the system service's.
    private static LayerCompiler? Compiler(string? directory, bool system)
    {
        ConfigurationLayers? layers = directory != null ? ConfigurationLayers.System(Path.GetFullPath(directory))
            : system ? ConfigurationLayers.System()
            : ConfigurationLayers.User();
        return layers == null ? null : new LayerCompiler(layers);
    }

    private static string DefaultSocket(bool system) =>
        system ? Encoding.ASCII.GetString(ServicePaths.SystemSocket) : RuntimeDirectory() + Encoding.ASCII.GetString(ServicePaths.UserSocketSuffix);

    private static string DefaultState(bool system)
    {
        if (!system)
        {
            return RuntimeDirectory() + "/lodge";
        }

        // systemd names several, separated by colons; the first one is ours.
        string? given = Environment.GetEnvironmentVariable("STATE_DIRECTORY")?.Split(':')[0];
        return string.IsNullOrEmpty(given) ? "/var/lib/lodge" : given;
    }

    private static string RuntimeDirectory() =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 1 } directory && directory[0] == '/' ? directory.TrimEnd('/')
        : throw new StartException(ExitStatus.Failure, "XDG_RUNTIME_DIR is not set; give --socket and --state-dir");
}
