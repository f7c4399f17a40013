using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>Options as LODGE_NAME variables: how `lodge run` hands them to the program and to all that it starts.</summary>
public static unsafe class EnvironmentText
{
    /// <summary>The variable's value for settings of one option.</summary>
    /// <param name="settings">At least one; more than one only for maps.</param>
    public static string Encode(IReadOnlyList<SettingText> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        OptionInfo option = OptionInfo.Of(settings[0].Option);
        return option.IsMap ? string.Join(',', settings.Select(s => Member(option, s))) : settings[^1].Value!;
    }

    private static string Member(OptionInfo option, SettingText setting) => option.Type switch
    {
        OptionType.EnvironmentMap when setting.Value == null => "-" + Escape(setting.Member),
        OptionType.EnvironmentMap => Escape(setting.Member) + "=" + Escape(setting.Value),
        OptionType.WorkaroundMap => setting.Member + (setting.Value == null ? "=off" : ""),
        OptionType.FeatureMap => setting.Member + (setting.Value == "true" ? "=on" : "=off"),
        _ => setting.Member + "=" + setting.Value,
    };

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);

    /// <summary>Takes a variable's value apart, by the decoder of the shim. False when it is not understood, from some place on.</summary>
    public static bool TryDecode(OptionInfo option, string value, Origin origin, out IReadOnlyList<SettingText> settings)
    {
        ArgumentNullException.ThrowIfNull(option);
        byte[] text = [.. Encoding.UTF8.GetBytes(value), 0];
        byte[] scratch = new byte[text.Length];
        fixed (byte* data = text, room = scratch)
        {
            int members = EnvironmentTokens.CountMembers(data);
            byte[] lists = new byte[Settings.RoomFor(members, members)];
            fixed (byte* list = lists)
            {
                Settings decoded = default;
                decoded.GiveRoom(list, members, members);
                bool understood = EnvironmentTokens.TryApply(option.Id, data, room, ref decoded);
                settings = ToTexts(decoded, origin);
                return understood;
            }
        }
    }

    /// <summary>What a shim's record says, as texts: options in the order of the table, members in their own.</summary>
    public static IReadOnlyList<SettingText> ToTexts(in Settings settings, Origin origin)
    {
        List<SettingText> texts = [];
        foreach (OptionInfo option in OptionInfo.All)
        {
            if (!settings.IsGiven(option.Id))
            {
                continue;
            }

            switch (option.Type)
            {
                case OptionType.Boolean:
                    texts.Add(new SettingText(option.Id, "", IsSet(settings, option.Id) ? "true" : "false", origin));
                    break;
                case OptionType.Token:
                    int index = option.Id == OptionId.CpuLevel ? settings.CpuLevel : settings.LogLevelValue;
                    texts.Add(new SettingText(option.Id, "", option.Tokens[index], origin));
                    break;
                case OptionType.Size:
                    texts.Add(new SettingText(option.Id, "", SizeText(settings.CodeCacheKiB), origin));
                    break;
                case OptionType.Path:
                    texts.Add(new SettingText(option.Id, "", settings.Root == null ? null : Text(settings.Root), origin));
                    break;
                case OptionType.EnvironmentMap:
                    for (int i = 0; i < settings.EditCount; i++)
                    {
                        texts.Add(ToText(settings.Edits[i], origin));
                    }

                    break;
                case OptionType.FeatureMap:
                    Bits(texts, option, settings.CpuShown, OptionInfo.Features, "true", origin);
                    Bits(texts, option, settings.CpuHidden, OptionInfo.Features, "false", origin);
                    break;
                case OptionType.IoctlMap:
                    for (int i = 0; i < settings.IoctlCount; i++)
                    {
                        string request = string.Create(CultureInfo.InvariantCulture, $"0x{settings.Ioctls[i].Request:x8}");
                        texts.Add(new SettingText(option.Id, request, OptionInfo.Policies[(int)settings.Ioctls[i].Policy], origin));
                    }

                    if (settings.UnknownIoctl != 0)
                    {
                        texts.Add(new SettingText(option.Id, OptionInfo.UnknownRequests, OptionInfo.Policies[settings.UnknownIoctl - 1], origin));
                    }

                    break;
                default:
                    Bits(texts, option, settings.Workarounds, OptionInfo.Workarounds, "no reason given", origin);
                    Bits(texts, option, settings.WorkaroundsOff, OptionInfo.Workarounds, null, origin);
                    break;
            }
        }

        return texts;
    }

    private static string SizeText(uint kib) => (kib % (1024 * 1024), kib % 1024) switch
    {
        (0, _) => string.Create(CultureInfo.InvariantCulture, $"{kib >> 20}G"),
        (_, 0) => string.Create(CultureInfo.InvariantCulture, $"{kib >> 10}M"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{kib}K"),
    };

    private static bool IsSet(in Settings settings, OptionId id)
    {
        uint bits = OptionTable.Row(id).PersonalityBits;
        uint word = id == OptionId.Randomize ? settings.PersonalityClear : settings.PersonalitySet;
        return bits == 0 ? settings.Strace != 0 : (word & bits) == bits;
    }

    private static SettingText ToText(in EnvironmentEdit edit, Origin origin)
    {
        string name = Encoding.UTF8.GetString(edit.Text, edit.NameLength);
        return edit.Action switch
        {
            SettingAction.Set => new SettingText(OptionId.Environment, name, Text(edit.Text + edit.NameLength + 1), origin),
            SettingAction.All => new SettingText(OptionId.Environment, name + "*", null, origin),
            _ => new SettingText(OptionId.Environment, name, null, origin),
        };
    }

    private static void Bits(List<SettingText> texts, OptionInfo option, ulong bits, IReadOnlyList<string> names, string? value, Origin origin)
    {
        for (int i = 0; i < names.Count; i++)
        {
            if ((bits >> i & 1) != 0)
            {
                texts.Add(new SettingText(option.Id, names[i], value, origin));
            }
        }
    }

    private static string Text(byte* text)
    {
        int length = 0;
        while (text[length] != 0)
        {
            length++;
        }

        return Encoding.UTF8.GetString(text, length);
    }
}
