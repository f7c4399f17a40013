using System;

namespace Lodge.Protocol;

/// <summary>
/// Options as short texts: what LODGE_NAME variables and the arguments of `lodge run --name` hold. A map is a list separated by commas
/// of KEY=VALUE, KEY (a feature shown, a work-around in force), or -NAME (an environment variable dropped); \ takes the next
/// character as it is.
/// </summary>
public static unsafe class EnvironmentTokens
{
    /// <summary>How the variables begin.</summary>
    public static ReadOnlySpan<byte> Prefix => "LODGE_"u8;

    /// <summary>Finds the option of a variable; false for others and for options that no variable sets.</summary>
    /// <param name="name">The variable's name behind LODGE_.</param>
    /// <param name="id">The option.</param>
    public static bool TryFind(ReadOnlySpan<byte> name, out OptionId id)
    {
        for (int i = 0; i < OptionTable.Count; i++)
        {
            id = (OptionId)i;
            OptionRow row = OptionTable.Row(id);
            if ((row.Scope & OptionScope.Environment) != 0 && IsVariable(row.Name, name))
            {
                return true;
            }
        }

        id = default;
        return false;
    }

    /// <summary>Most members that a value can have.</summary>
    public static int CountMembers(byte* value)
    {
        int count = 1;
        for (; *value != 0; value++)
        {
            count += *value == ',' ? 1 : 0;
        }

        return count;
    }

    /// <summary>
    /// Applies a value. False when it is not understood; what stands before the first wrong member is applied then.
    /// </summary>
    /// <param name="id">The option.</param>
    /// <param name="value">The text, zero-terminated.</param>
    /// <param name="scratch">Room for the text and its zero byte; environment changes point into it and it must stay.</param>
    /// <param name="settings">Changed.</param>
    public static bool TryApply(OptionId id, byte* value, byte* scratch, ref Settings settings)
    {
        OptionRow row = OptionTable.Row(id);
        int length = 0;
        while (value[length] != 0)
        {
            length++;
        }

        ReadOnlySpan<byte> text = new(value, length);
        switch (row.Type)
        {
            case OptionType.Boolean:
                bool known = Tokens.TryBoolean(text, out bool flag);
                if (known)
                {
                    settings.SetBoolean(id, flag);
                }

                return known;
            case OptionType.Token:
                int index = length == 0 ? -1 : Tokens.IndexOf(row.Tokens, text);
                if (index >= 0)
                {
                    settings.SetToken(id, index);
                }

                return index >= 0;
            case OptionType.Path:
                return false;
            case OptionType.Size:
                bool isSize = Sizes.TryParse(text, out uint kib);
                if (isSize)
                {
                    settings.SetCodeCache(kib);
                }

                return isSize;
            default:
                return ApplyMembers(row.Type, value, scratch, ref settings);
        }
    }

    private static bool ApplyMembers(OptionType type, byte* value, byte* scratch, ref Settings settings)
    {
        while (*value != 0)
        {
            // One member, unescaped, zero-terminated. The first = that is not escaped separates.
            byte* member = scratch;
            int separator = -1;
            while (*value != 0 && *value != ',')
            {
                if (*value == '\\' && value[1] != 0)
                {
                    value++;
                }
                else if (*value == '=' && separator < 0)
                {
                    separator = (int)(scratch - member);
                }

                *scratch++ = *value++;
            }

            int length = (int)(scratch - member);
            *scratch++ = 0;
            value += *value != 0 ? 1 : 0;
            if (length != 0 && !ApplyMember(type, member, length, separator, ref settings))
            {
                return false;
            }
        }

        return true;
    }

    private static bool ApplyMember(OptionType type, byte* member, int length, int separator, ref Settings settings)
    {
        ReadOnlySpan<byte> key = new(member, separator < 0 ? length : separator);
        ReadOnlySpan<byte> text = separator < 0 ? default : new ReadOnlySpan<byte>(member + separator + 1, length - separator - 1);
        switch (type)
        {
            case OptionType.EnvironmentMap:
                return ApplyVariable(member, length, separator, ref settings);
            case OptionType.FeatureMap:
                int feature = Tokens.IndexOf(CpuFeatures.Names, key);
                bool shown = true;
                if (feature < 0 || (separator >= 0 && !Tokens.TryBoolean(text, out shown)))
                {
                    return false;
                }

                settings.SetFeature(feature, shown);
                return true;
            case OptionType.WorkaroundMap:
                int workaround = Tokens.IndexOf(WorkaroundTable.Names, key);
                bool inForce = true;
                if (workaround < 0 || (separator >= 0 && !Tokens.TryBoolean(text, out inForce)))
                {
                    return false;
                }

                settings.SetWorkaround(workaround, inForce);
                return true;
            default:
                int policy = separator < 0 ? -1 : Tokens.IndexOf(IoctlPolicies.Names, text);
                if (policy < 0)
                {
                    return false;
                }

                if (key.SequenceEqual(IoctlPolicies.Unknown))
                {
                    settings.SetUnknownIoctl((IoctlPolicy)policy);
                    return true;
                }

                if (!TryNumber(key, out uint request))
                {
                    return false;
                }

                settings.SetIoctl(request, (IoctlPolicy)policy);
                return true;
        }
    }

    private static bool ApplyVariable(byte* member, int length, int separator, ref Settings settings)
    {
        if (separator > 0 && member[0] != '-')
        {
            settings.AddEdit(member, separator, SettingAction.Set);
            return true;
        }

        if (member[0] != '-' || length < 2 || separator >= 0)
        {
            return false;
        }

        bool all = member[length - 1] == '*';
        if (all)
        {
            member[length - 1] = 0;
        }

        settings.AddEdit(member + 1, length - 1 - (all ? 1 : 0), all ? SettingAction.All : SettingAction.Clear);
        return true;
    }

    /// <summary>A request number: 0x and one to eight hexadecimal digits.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out uint value)
    {
        value = 0;
        if (text.Length is < 3 or > 10 || text[0] != '0' || text[1] is not ((byte)'x' or (byte)'X'))
        {
            return false;
        }

        for (int i = 2; i < text.Length; i++)
        {
            int c = text[i];
            int digit = c is >= '0' and <= '9' ? c - '0' : (c | 32) is >= 'a' and <= 'f' ? (c | 32) - 'a' + 10 : -1;
            if (digit < 0)
            {
                return false;
            }

            value = (value << 4) | (uint)digit;
        }

        return true;
    }

    private static bool IsVariable(ReadOnlySpan<byte> option, ReadOnlySpan<byte> variable)
    {
        if (option.Length != variable.Length)
        {
            return false;
        }

        for (int i = 0; i < option.Length; i++)
        {
            int c = option[i] == '-' ? '_' : option[i] is >= (byte)'a' and <= (byte)'z' ? option[i] - 32 : option[i];
            if (variable[i] != c)
            {
                return false;
            }
        }

        return true;
    }
}
