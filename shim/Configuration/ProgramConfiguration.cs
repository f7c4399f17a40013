using System;
using System.Runtime.InteropServices;
using Lodge.Protocol;

namespace Lodge.Shim;

public unsafe partial struct ThreadGroup
{
    /// <summary>Options in force. Set once at start; its lists lie in memory that stays.</summary>
    public Settings Settings;
    /// <summary>Non-zero when the root directory was changed for this program or one that executed it.</summary>
    public int HasRoot;
    /// <summary>CPU features that the configuration hides, one bit for each <see cref="CpuFeature"/>.</summary>
    public ulong HiddenFeatures;
    /// <summary>Instructions that are #UD because of it, one bit for each feature of the instruction table.</summary>
    public ulong HiddenInstructions;
}

/// <summary>
/// The configuration of the program that is being started: finds what applies and makes it hold. Once, in the only thread, before the guest's
/// memory is filled.
/// </summary>
public static unsafe class ProgramConfiguration
{
    private const ulong AtSecure = 23;

    /// <summary>Exit status when the root directory cannot be entered (as for a program that cannot be executed).</summary>
    private const int CannotExecute = 126;

    private static ReadOnlySpan<byte> SystemPath => "/var/lib/lodge/config.bin\0"u8;

    private static ReadOnlySpan<byte> UserPath => "/lodge/config.bin\0"u8;

    /// <summary>What is found in one pass over the environment.</summary>
    private ref struct Variables
    {
        internal byte* RuntimeDirectory;
        internal byte* Configuration;
        internal int Options;
        internal int Members;
        internal ulong Bytes;
    }

    /// <summary>Finds out what is configured for the program and applies it.</summary>
    /// <param name="t">The first thread.</param>
    /// <param name="start">What the kernel passed.</param>
    /// <param name="options">The shim's own command line, whose word is last.</param>
    /// <param name="request">The program, opened and named; its environment may change.</param>
    /// <param name="service">Connection to the service, or -1. Made here before a root directory puts it out of reach.</param>
    public static void Apply(GuestThread* t, in StartInfo start, in Options options, ref ExecRequest request, ref int service)
    {
        bool secure = start.TryAux(AtSecure, out ulong flag) && flag != 0;
        Variables variables = default;
        if (!secure)
        {
            Look(start.Envp, ref variables);
        }

        t->Group->HasRoot = options.Root != null || options.Record.HasRoot ? 1 : 0;
        ConfigurationSource system = default;
        ConfigurationSource user = default;
        Open(t, options, variables, secure, ref system, ref user);
        if (system.IsOpen || user.IsOpen || variables.Options != 0)
        {
            // Of a script the interpreter is meant, as with binfmt_misc, which names nothing else.
            bool script = options.Record.IsScript || request.Argv != options.Arguments;
            byte* named = script ? request.Argv[0] : request.Path;
            Evaluate(t, start, variables, request.Fd, named, system, user);
            Enforce(t, options, ref request);
            EnterRoot(t, start, ref service);
        }
    }

    private static void Look(byte** environment, ref Variables variables)
    {
        for (; *environment != null; environment++)
        {
            byte* entry = *environment;
            if (entry[0] is not ((byte)'L' or (byte)'X'))
            {
                continue;
            }

            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry);
            if (text.StartsWith("XDG_RUNTIME_DIR=/"u8))
            {
                variables.RuntimeDirectory = entry + "XDG_RUNTIME_DIR="u8.Length;
            }
            else if (text.StartsWith("LODGE_CONFIG="u8))
            {
                variables.Configuration = entry + "LODGE_CONFIG="u8.Length;
            }
            else if (IsOption(text, out _, out int value))
            {
                variables.Options++;
                variables.Members += EnvironmentTokens.CountMembers(entry + value);
                variables.Bytes += (ulong)(text.Length - value) + 1;
            }
        }
    }

    private static bool IsOption(ReadOnlySpan<byte> entry, out OptionId id, out int value)
    {
        id = default;
        value = entry.IndexOf((byte)'=') + 1;
        int prefix = EnvironmentTokens.Prefix.Length;
        return value > prefix + 1 && entry.StartsWith(EnvironmentTokens.Prefix)
            && EnvironmentTokens.TryFind(entry.Slice(prefix, value - 1 - prefix), out id);
    }

    private static void Open(
        GuestThread* t, in Options options, in Variables variables, bool secure, ref ConfigurationSource system, ref ConfigurationSource user)
    {
        int inheritedSystem = options.HasRecord ? options.Record.SystemConfiguration : -1;
        int inheritedUser = options.HasRecord ? options.Record.UserConfiguration : -1;
        if (variables.Configuration != null)
        {
            // One file instead of both; nothing at all instead of both.
            user.Open(t, HiddenFile.UserConfiguration, variables.Configuration[0] == 0 ? null : variables.Configuration, inheritedUser, true);
            return;
        }

        fixed (byte* path = SystemPath)
        {
            system.Open(t, HiddenFile.SystemConfiguration, path, inheritedSystem, !secure);
        }

        byte* own = null;
        if (variables.RuntimeDirectory != null)
        {
            byte* path = stackalloc byte[1024];
            uint length = Loader.Length(variables.RuntimeDirectory);
            if (length + (uint)UserPath.Length <= 1024)
            {
                new ReadOnlySpan<byte>(variables.RuntimeDirectory, (int)length).CopyTo(new Span<byte>(path, 1024));
                UserPath.CopyTo(new Span<byte>(path + length, UserPath.Length));
                own = path;
            }
        }

        if (!secure)
        {
            user.Open(t, HiddenFile.UserConfiguration, own, inheritedUser, true);
        }
    }

    /// <summary>Fills the group's settings: system's file, user's file, environment.</summary>
    private static void Evaluate(
        GuestThread* t, in StartInfo start, in Variables variables, int program, byte* named, in ConfigurationSource system, in ConfigurationSource user)
    {
        int edits = variables.Members;
        int ioctls = variables.Members;
        uint kinds = 0;
        Count(system, ref edits, ref ioctls, ref kinds);
        Count(user, ref edits, ref ioctls, ref kinds);

        // Lists, unescaped values and facts stay: options point to them.
        ulong lists = (Settings.RoomFor(edits, ioctls) + 15) & ~15ul;
        ulong facts = (variables.Bytes + 15) & ~15ul;
        byte* room = (byte*)HostMemory.Map(lists + facts + ProgramFacts.Room + ConfigurationFormat.MaxEntries);
        if (room == null)
        {
            GuestLog.Write(t, LogLevel.Warning, "configuration not used: no memory"u8);
            return;
        }

        ref Settings settings = ref t->Group->Settings;
        settings.GiveRoom(room, edits, ioctls);
        byte* scratch = room + lists;
        byte* matched = scratch + facts + ProgramFacts.Room;
        ProgramFacts.Collect(program, named, kinds, scratch + facts, out ProgramIdentity identity);
        int entries = 0;
        if (system.IsOpen)
        {
            entries = system.View.Apply(identity, matched, ref settings);
            new Span<byte>(matched, system.View.EntryCount).Clear();
        }

        if (user.IsOpen)
        {
            entries += user.View.Apply(identity, matched, ref settings);
        }

        if (variables.Options != 0)
        {
            ApplyEnvironment(t, start.Envp, scratch, ref settings);
        }

        if (GuestLog.Says(t, LogLevel.Debug))
        {
            Line line = new(stackalloc byte[128]);
            line.Add("configuration: "u8);
            line.Dec(entries);
            line.Add(" application entries, "u8);
            line.Dec(variables.Options);
            line.Add(" variables, options "u8);
            line.Hex(settings.Given, 8);
            GuestLog.Write(t, LogLevel.Debug, line.Text);
        }
    }

    private static void Count(in ConfigurationSource source, ref int edits, ref int ioctls, ref uint kinds)
    {
        if (source.IsOpen)
        {
            source.View.CountLists(out int moreEdits, out int moreIoctls);
            edits += moreEdits;
            ioctls += moreIoctls;
            kinds |= source.View.Kinds;
        }
    }

    private static void ApplyEnvironment(GuestThread* t, byte** environment, byte* scratch, ref Settings settings)
    {
        for (; *environment != null; environment++)
        {
            ReadOnlySpan<byte> entry = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(*environment);
            if (entry.Length == 0 || entry[0] != 'L' || !IsOption(entry, out OptionId id, out int value))
            {
                continue;
            }

            if (!EnvironmentTokens.TryApply(id, *environment + value, scratch, ref settings))
            {
                NotUnderstood(t, entry);
            }

            scratch += entry.Length - value + 1;
        }
    }

    private static void NotUnderstood(GuestThread* t, ReadOnlySpan<byte> entry)
    {
        Line line = new(stackalloc byte[256]);
        line.Add("value not understood: "u8);
        line.Add(entry.Length > 150 ? entry.Slice(0, 150) : entry);
        GuestLog.Write(t, LogLevel.Warning, line.Text);
    }

    /// <summary>Makes the options hold that work on the process; the others are asked for where they matter.</summary>
    private static void Enforce(GuestThread* t, in Options options, ref ExecRequest request)
    {
        ThreadGroup* group = t->Group;
        ref Settings settings = ref group->Settings;
        if (!options.Strace && (settings.Strace != 0 || settings.LogLevel >= LogLevel.Info || settings.IsGiven(OptionId.Ioctl)))
        {
            // The guest may close or redirect its own standard error.
            _ = Strace.Start(t->Files, 2);
            group->Trace = settings.Strace != 0 ? ThreadGroup.TracedByConfiguration : 0;
        }

        EnforcePersonality(group, settings);
        if (settings.HiddenFeatures != 0)
        {
            GuestCpu.Hide(t, settings.HiddenFeatures);
        }

        t->Mm->CodeCacheBytes = (ulong)settings.CodeCacheKiB << 10;
        if (settings.Has(Workaround.SingleCpu))
        {
            UseOneCpu();
        }

        if (settings.EditCount != 0)
        {
            EnvironmentEdits.Apply(settings, ref request);
        }
    }

    private static void EnterRoot(GuestThread* t, in StartInfo start, ref int service)
    {
        byte* root = t->Group->Settings.Root;
        if (root == null || t->Group->HasRoot != 0)
        {
            return;
        }

        service = service >= 0 ? service : ServiceClient.Connect(t, start);
        int refused = Root.EnterKeepingDirectory(root);
        if (refused != 0)
        {
            Line line = new(stackalloc byte[512]);
            line.Add("root directory "u8);
            line.Add(root);
            line.Add(": errno "u8);
            line.Dec(-refused);
            GuestLog.Write(t, LogLevel.Error, line.Text);
            Host.ExitGroup(CannotExecute);
        }

        t->Group->HasRoot = 1;
    }

    private static void EnforcePersonality(ThreadGroup* group, in Settings settings)
    {
        // The low byte is one number, of which the table knows PER_LINUX32 alone.
        const uint Domain = 0xFF, PerLinux32 = 8;
        uint clear = settings.PersonalityClear & ~Domain;
        if ((settings.PersonalitySet & PerLinux32) != 0 || ((settings.PersonalityClear & PerLinux32) != 0 && (group->Personality & Domain) == PerLinux32))
        {
            clear |= Domain;
        }

        uint word = (group->Personality & ~clear) | settings.PersonalitySet;
        if (word != group->Personality)
        {
            group->Personality = word;
            Host.Syscall(Nr.personality, word & ~Personalities.ReadImpliesExec);
        }
    }

    private static void UseOneCpu()
    {
        const int Words = 128;
        ulong* mask = stackalloc ulong[Words];
        long bytes = Host.Syscall(Nr.sched_getaffinity, 0, Words * 8, (long)mask);
        bool found = false;
        for (long i = 0; i < bytes / 8; i++)
        {
            mask[i] = found ? 0 : mask[i] & (0 - mask[i]);
            found |= mask[i] != 0;
        }

        if (found)
        {
            Host.Syscall(Nr.sched_setaffinity, 0, bytes, (long)mask);
        }
    }
}
