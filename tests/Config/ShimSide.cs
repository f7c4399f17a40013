using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Lodge.Config;
using Lodge.Protocol;
using Mono.Unix.Native;

namespace Lodge.ConfigTests;

/// <summary>Memory whose end is the end of a page, with nothing behind: reading a byte too far ends the test run.</summary>
internal sealed unsafe class GuardedMemory : IDisposable
{
    private const ulong Page = 4096;
    private readonly nint _start;
    private readonly ulong _size;

    internal GuardedMemory(ReadOnlySpan<byte> content)
    {
        _size = (((ulong)content.Length + Page - 1) / Page * Page) + Page;
        _start = Syscall.mmap(0, _size, MmapProts.PROT_READ | MmapProts.PROT_WRITE, MmapFlags.MAP_PRIVATE | MmapFlags.MAP_ANONYMOUS, -1, 0);
        if (_start == -1 || Syscall.mprotect(_start + (nint)(_size - Page), Page, MmapProts.PROT_NONE) != 0)
        {
            throw new InvalidOperationException("no memory");
        }

        Data = (byte*)_start + (_size - Page) - content.Length;
        content.CopyTo(new Span<byte>(Data, content.Length));
        Length = (ulong)content.Length;
        _ = Syscall.mprotect(_start, _size - Page, MmapProts.PROT_READ);
    }

    internal byte* Data { get; }

    internal ulong Length { get; }

    /// <inheritdoc/>
    public void Dispose() => _ = Syscall.munmap(_start, _size);
}

/// <summary>What the shim makes of compiled files and of variables, step by step as shim/Configuration does it.</summary>
internal static unsafe class ShimSide
{
    /// <summary>The texts of the options in force (see <see cref="Normal(IEnumerable{SettingText})"/>), or the fault of the first bad file.</summary>
    internal static (ConfigurationFault Fault, SortedDictionary<string, string> Options) Decode(
        ProgramDescription program, IReadOnlyList<byte[]> files, IReadOnlyDictionary<string, string>? variables = null)
    {
        List<GuardedMemory> memory = [.. files.Select(f => new GuardedMemory(f))];
        try
        {
            int edits = 64;
            int ioctls = 64;
            foreach (GuardedMemory file in memory)
            {
                ConfigurationFault fault = ConfigurationView.Open(file.Data, file.Length, out ConfigurationView view);
                if (fault != ConfigurationFault.None)
                {
                    return (fault, []);
                }

                view.CountLists(out int moreEdits, out int moreIoctls);
                edits += moreEdits;
                ioctls += moreIoctls;
            }

            fixed (byte* named = Text(program.Named), real = Text(program.Real), interpreter = Text(program.Interpreter), buildId = Text(program.BuildId))
            fixed (byte* room = new byte[Settings.RoomFor(edits, ioctls)])
            {
                ProgramIdentity identity = default;
                identity.Named = named;
                identity.Real = real;
                identity.Interpreter = program.Interpreter == null ? null : interpreter;
                identity.BuildId = program.BuildId == null ? null : buildId;
                Settings settings = default;
                settings.GiveRoom(room, edits, ioctls);
                foreach (GuardedMemory file in memory)
                {
                    _ = ConfigurationView.Open(file.Data, file.Length, out ConfigurationView view);
                    fixed (byte* matched = new byte[Math.Max(1, view.EntryCount)])
                    {
                        view.Apply(identity, matched, ref settings);
                    }
                }

                return (ConfigurationFault.None, ApplyVariables(variables ?? new Dictionary<string, string>(), ref settings));
            }
        }
        finally
        {
            memory.ForEach(m => m.Dispose());
        }
    }

    private static SortedDictionary<string, string> ApplyVariables(IReadOnlyDictionary<string, string> variables, ref Settings settings)
    {
        // All values in one block that stays until the texts are made.
        byte[] values = new byte[(variables.Values.Sum(v => Encoding.UTF8.GetByteCount(v) + 1) * 2) + 1];
        fixed (byte* block = values)
        {
            byte* next = block;
            foreach ((string name, string value) in variables)
            {
                if (name.StartsWith("LODGE_", StringComparison.Ordinal) && EnvironmentTokens.TryFind(Encoding.UTF8.GetBytes(name["LODGE_".Length..]), out OptionId id))
                {
                    byte[] text = Text(value);
                    text.CopyTo(new Span<byte>(next, text.Length));
                    _ = EnvironmentTokens.TryApply(id, next, next + text.Length, ref settings);
                    next += text.Length * 2;
                }
            }

            return Normal(EnvironmentText.ToTexts(settings, Origin.BuiltIn));
        }
    }

    /// <summary>
    /// Values as option.member = value. Of work-arounds the names in force; of the environment what becomes of a sample.
    /// </summary>
    internal static SortedDictionary<string, string> Normal(IEnumerable<SettingText> texts)
    {
        SortedDictionary<string, string> normal = new(StringComparer.Ordinal);
        Dictionary<string, string> environment = new() { ["A"] = "a", ["AB"] = "ab", ["ABC"] = "abc", ["B"] = "b", ["Ü"] = "ü" };
        foreach (SettingText text in texts)
        {
            switch (text.Option)
            {
                case OptionId.Workarounds when text.Value == null:
                    break;
                case OptionId.Workarounds:
                    normal["workarounds." + text.Member] = "in force";
                    break;
                case OptionId.Environment when text.Value != null:
                    environment[text.Member] = text.Value;
                    break;
                case OptionId.Environment:
                    bool all = text.Member.EndsWith('*');
                    foreach (string name in environment.Keys.Where(k => all ? k.StartsWith(text.Member[..^1], StringComparison.Ordinal) : k == text.Member).ToArray())
                    {
                        environment.Remove(name);
                    }

                    break;
                default:
                    normal[OptionInfo.Of(text.Option).Name + "." + text.Member] = text.Value ?? "null";
                    break;
            }
        }

        foreach ((string name, string value) in environment)
        {
            normal["environment." + name] = value;
        }

        return normal;
    }

    private static byte[] Text(string? text) => [.. Encoding.UTF8.GetBytes(text ?? ""), 0];
}
