using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>Writes the compiled file (<see cref="ConfigurationHeader"/>). The same entries give the same bytes.</summary>
internal sealed unsafe class ConfigurationWriter
{
    private readonly List<ConfigurationEntry> _entries = [];
    private readonly List<ConfigurationKey> _exact = [];
    private readonly List<ConfigurationKey> _patterns = [];
    private readonly List<ConfigurationSetting> _settings = [];
    private readonly List<byte> _strings = [];
    private readonly Dictionary<string, uint> _known = new(StringComparer.Ordinal);

    /// <summary>Adds an entry behind those before it.</summary>
    internal void Add(EntryTexts entry)
    {
        ConfigurationEntry record = default;
        record.FirstSetting = (uint)_settings.Count;
        record.SettingCount = (uint)entry.Settings.Count;
        foreach (MatchTexts match in entry.Matches)
        {
            record.Required |= 1u << (int)match.Kind;
            foreach (string text in match.Texts)
            {
                AddKey(match.Kind, text);
            }
        }

        foreach (SettingText setting in entry.Settings)
        {
            _settings.Add(Encode(setting));
        }

        _entries.Add(record);
    }

    /// <summary>The file.</summary>
    internal byte[] ToBytes()
    {
        ConfigurationHeader header = default;
        header.Magic = ConfigurationFormat.Magic;
        header.Version = ConfigurationFormat.Version;
        header.EntryCount = (uint)_entries.Count;
        header.EntryOffset = (uint)sizeof(ConfigurationHeader);
        header.KeyCount = (uint)(_exact.Count + _patterns.Count);
        header.ExactCount = (uint)_exact.Count;
        header.KeyOffset = header.EntryOffset + (header.EntryCount * (uint)sizeof(ConfigurationEntry));
        uint[] slots = FillSlots();
        header.SlotCount = (uint)slots.Length;
        header.SlotOffset = header.KeyOffset + (header.KeyCount * (uint)sizeof(ConfigurationKey));
        header.SettingCount = (uint)_settings.Count;
        header.SettingOffset = header.SlotOffset + (header.SlotCount * sizeof(uint));
        uint strings = header.SettingOffset + (header.SettingCount * (uint)sizeof(ConfigurationSetting));
        header.Length = strings + (uint)_strings.Count;
        ConfigurationKey[] keys = _exact.Concat(_patterns).ToArray();
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i].Text += strings;
            header.Kinds |= 1u << (int)keys[i].Kind;
        }

        ConfigurationSetting[] settings = _settings.ToArray();
        for (int i = 0; i < settings.Length; i++)
        {
            settings[i].A += HoldsString(settings[i]) ? strings : 0;
        }

        byte[] file = new byte[header.Length];
        Put(file, header.EntryOffset, _entries.ToArray());
        Put(file, header.KeyOffset, keys);
        Put(file, header.SlotOffset, slots);
        Put(file, header.SettingOffset, settings);
        _strings.CopyTo(file, (int)strings);
        MemoryMarshal.Write(file, header);
        fixed (byte* data = file)
        {
            const uint Start = ConfigurationFormat.ChecksumStart;
            header.Checksum = ConfigurationFormat.Checksum(data + Start, header.Length - Start);
        }

        MemoryMarshal.Write(file, header);
        return file;
    }

    private static void Put<T>(byte[] file, uint offset, T[] items)
        where T : unmanaged
        => MemoryMarshal.AsBytes(items.AsSpan()).CopyTo(file.AsSpan((int)offset));

    private static bool HoldsString(in ConfigurationSetting setting)
    {
        OptionType type = OptionTable.Row((OptionId)setting.Option).Type;
        return type == OptionType.EnvironmentMap || (type == OptionType.Path && setting.Action == (ushort)SettingAction.Set);
    }

    private void AddKey(MatchKind kind, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        ConfigurationKey key = default;
        key.Kind = (uint)kind;
        key.Entry = (ushort)_entries.Count;
        key.Length = (ushort)bytes.Length;
        key.Text = AddString(text);
        fixed (byte* data = bytes)
        {
            if (kind != MatchKind.BuildId && Glob.IsPattern(data, bytes.Length))
            {
                _patterns.Add(key);
                return;
            }

            key.Hash = ConfigurationFormat.Hash(kind, data, bytes.Length);
        }

        _exact.Add(key);
    }

    private uint[] FillSlots()
    {
        uint[] slots = new uint[BitOperations.RoundUpToPowerOf2((uint)_exact.Count * 2 + 1)];
        uint mask = (uint)slots.Length - 1;
        for (int i = 0; i < _exact.Count; i++)
        {
            uint at = _exact[i].Hash & mask;
            while (slots[at] != 0)
            {
                at = (at + 1) & mask;
            }

            slots[at] = (uint)i + 1;
        }

        return slots;
    }

    private uint AddString(string text)
    {
        if (!_known.TryGetValue(text, out uint place))
        {
            place = (uint)_strings.Count;
            _known.Add(text, place);
            _strings.AddRange(Encoding.UTF8.GetBytes(text));
            _strings.Add(0);
        }

        return place;
    }

    private ConfigurationSetting Encode(SettingText setting)
    {
        OptionInfo option = OptionInfo.Of(setting.Option);
        ConfigurationSetting record = default;
        record.Option = (ushort)setting.Option;
        switch (option.Type)
        {
            case OptionType.Boolean:
                record.A = setting.Value == "true" ? 1u : 0;
                break;
            case OptionType.Token:
                record.A = (uint)OptionInfo.IndexOf(option.Tokens, setting.Value!);
                break;
            case OptionType.Size:
                _ = Sizes.TryParse(Encoding.ASCII.GetBytes(setting.Value!), out record.A);
                break;
            case OptionType.Path:
                record.Action = (ushort)(setting.Value == null ? SettingAction.Clear : SettingAction.Set);
                SetString(ref record, setting.Value);
                break;
            case OptionType.EnvironmentMap:
                bool all = setting.Member.EndsWith('*');
                record.Action = (ushort)(setting.Value != null ? SettingAction.Set : all ? SettingAction.All : SettingAction.Clear);
                SetString(ref record, setting.Value != null ? setting.Member + "=" + setting.Value : all ? setting.Member[..^1] : setting.Member);
                break;
            case OptionType.FeatureMap:
                record.A = (uint)OptionInfo.IndexOf(OptionInfo.Features, setting.Member);
                record.Action = (ushort)(setting.Value == "true" ? SettingAction.Set : SettingAction.Clear);
                break;
            case OptionType.IoctlMap:
                bool unknown = setting.Member == OptionInfo.UnknownRequests;
                record.Action = (ushort)(unknown ? SettingAction.All : SettingAction.Set);
                record.A = unknown ? 0 : uint.Parse(setting.Member.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                record.B = (uint)OptionInfo.IndexOf(OptionInfo.Policies, setting.Value!);
                break;
            default:
                record.A = (uint)OptionInfo.IndexOf(OptionInfo.Workarounds, setting.Member);
                record.Action = (ushort)(setting.Value != null ? SettingAction.Set : SettingAction.Clear);
                break;
        }

        return record;
    }

    private void SetString(ref ConfigurationSetting record, string? text)
    {
        if (text != null)
        {
            record.A = AddString(text);
            record.B = (uint)Encoding.UTF8.GetByteCount(text);
        }
    }
}
