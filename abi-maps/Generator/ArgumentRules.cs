using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace Lodge.AbiMaps;

/// <summary>Turns C parameters into argument registers of one ABI.</summary>
public static partial class ArgumentRules
{
    private static readonly HashSet<string> s_signed = new(StringComparer.Ordinal)
    {
        "int", "pid_t", "compat_pid_t", "key_t", "clockid_t", "timer_t", "mqd_t", "key_serial_t", "__s32", "s32", "compat_clockid_t",
        "compat_int_t", "old_time32_t", "enum landlock_rule_type", "short",
    };

    private static readonly HashSet<string> s_unsigned = new(StringComparer.Ordinal)
    {
        "unsigned int", "unsigned", "u32", "__u32", "uint32_t", "umode_t", "mode_t", "uid_t", "gid_t", "qid_t", "old_uid_t", "old_gid_t",
        "compat_mode_t", "unsigned char", "compat_uid_t", "compat_gid_t", "unsigned short", "rwf_t", "uint",
    };

    private static readonly HashSet<string> s_long = new(StringComparer.Ordinal)
    {
        "long", "off_t", "ssize_t", "compat_long_t", "compat_off_t", "compat_ssize_t", "compat_s64",
    };

    private static readonly HashSet<string> s_ulong = new(StringComparer.Ordinal)
    {
        "unsigned long", "size_t", "compat_size_t", "compat_ulong_t", "aio_context_t", "compat_aio_context_t", "old_sigset_t", "compat_old_sigset_t",
        "uintptr_t", "__kernel_ulong_t",
    };

    private static readonly HashSet<string> s_wide = new(StringComparer.Ordinal) { "loff_t", "u64", "__u64", "s64", "__s64", "uint64_t", "compat_loff_t" };

    private static readonly HashSet<string> s_pointers = new(StringComparer.Ordinal)
    {
        "compat_uptr_t", "compat_caddr_t", "__sighandler_t", "cap_user_header_t", "cap_user_data_t", "const cap_user_data_t",
    };

    /// <summary>
    /// Registers that carry the parameters. 64-bit values take two on 32-bit ABIs, on AArch32 from an even one on; on i386 the
    /// kernel's own wrappers name the halves (offset_low, poshi), which are recognised as such.
    /// </summary>
    /// <returns>The registers, or null with <paramref name="unknown"/> set to the type that is not known.</returns>
    public static IReadOnlyList<Argument>? Registers(string abi, IReadOnlyList<Parameter> parameters, out string unknown)
    {
        bool narrow = Abi.IsGuest(abi);
        var registers = new List<Argument>();
        unknown = "";
        for (int i = 0; i < parameters.Count; i++)
        {
            Parameter parameter = parameters[i];
            string type = Plain(parameter.Type);
            if (s_wide.Contains(type))
            {
                if (!narrow)
                {
                    registers.Add(new Argument(parameter.Name, ArgumentKind.Long64));
                    continue;
                }
                if (abi == Abi.Arm && (registers.Count & 1) != 0)
                {
                    registers.Add(new Argument("pad", ArgumentKind.Pad));
                }
                registers.Add(new Argument(parameter.Name + "_lo", ArgumentKind.Lo));
                registers.Add(new Argument(parameter.Name + "_hi", ArgumentKind.Hi));
                continue;
            }
            if (narrow && parameter.Name == "__pad")
            {
                registers.Add(new Argument("pad", ArgumentKind.Pad));
                continue;
            }
            ArgumentKind? kind = Half(narrow, parameters, i) ?? Kind(type, parameter, i + 1 < parameters.Count ? parameters[i + 1] : default);
            if (kind is null)
            {
                unknown = parameter.Type;
                return null;
            }
            registers.Add(new Argument(parameter.Name, kind.Value));
        }
        return registers;
    }

    private static ArgumentKind? Kind(string type, Parameter parameter, Parameter next)
    {
        if (type.Contains('*', StringComparison.Ordinal) || s_pointers.Contains(type))
        {
            bool text = type is "const char *" && !s_ulong.Contains(Plain(next.Type ?? ""));
            return text ? ArgumentKind.Str : ArgumentKind.Ptr;
        }
        bool narrowType = s_signed.Contains(type) || s_unsigned.Contains(type);
        if ((narrowType || s_ulong.Contains(type)) && DescriptorName().IsMatch(parameter.Name))
        {
            return ArgumentKind.Fd;
        }
        return s_signed.Contains(type) ? ArgumentKind.Int
            : s_unsigned.Contains(type) ? ArgumentKind.UInt
            : s_long.Contains(type) ? ArgumentKind.Long
            : s_ulong.Contains(type) ? ArgumentKind.ULong
            : null;
    }

    /// <summary>Two neighbours of one stem, one low and one high, are the halves of a 64-bit value.</summary>
    private static ArgumentKind? Half(bool narrow, IReadOnlyList<Parameter> parameters, int index)
    {
        if (!narrow)
        {
            return null;
        }
        Match mine = HalfName().Match(parameters[index].Name);
        if (!mine.Success)
        {
            return null;
        }
        bool paired = new[] { index - 1, index + 1 }.Where(i => i >= 0 && i < parameters.Count).Select(i => HalfName().Match(parameters[i].Name))
            .Any(other => other.Success && other.Groups[1].Value == mine.Groups[1].Value && other.Groups[2].Value[0] != mine.Groups[2].Value[0]);
        return !paired ? null : mine.Groups[2].Value[0] == 'l' ? ArgumentKind.Lo : ArgumentKind.Hi;
    }

    private static string Plain(string type)
    {
        string plain = type.Replace("__force", "", StringComparison.Ordinal).Trim();
        return plain.StartsWith("const ", StringComparison.Ordinal) && !plain.Contains('*', StringComparison.Ordinal) ? plain[6..] : plain;
    }

    [GeneratedRegex(@"^(u?fd(in|out)?|fildes|dfd|\w*_?d?fd|fd_(in|out|to|from)|\w*dirfd|mqdes|sockfd)$")]
    private static partial Regex DescriptorName();

    [GeneratedRegex(@"^(.+?)_?(low|high|lo|hi|l|h)$")]
    private static partial Regex HalfName();
}
