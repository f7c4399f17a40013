namespace Lodge.Protocol;

/// <summary>Why a compiled file is not used.</summary>
public enum ConfigurationFault
{
    /// <summary>It is.</summary>
    None,
    /// <summary>Shorter than its head, longer than allowed, or not as long as its head says.</summary>
    Length,
    /// <summary>Not a compiled configuration.</summary>
    Magic,
    /// <summary>Of another version.</summary>
    Version,
    /// <summary>Changed since it was written.</summary>
    Checksum,
    /// <summary>An offset or a number in it is out of range.</summary>
    Layout,
}

/// <summary>What is known about a program; null where it is not, or not asked for. Texts are zero-terminated.</summary>
public unsafe struct ProgramIdentity
{
    /// <summary>How it was named.</summary>
    public byte* Named;
    /// <summary>What the kernel calls the open file.</summary>
    public byte* Real;
    /// <summary>PT_INTERP.</summary>
    public byte* Interpreter;
    /// <summary>Build-id, lower-case hexadecimal.</summary>
    public byte* BuildId;
}

/// <summary>
/// A compiled file in memory that has been checked from end to end: every offset and number is in range, so that nothing the file says can
/// lead outside it, or make the work on it take longer than its size allows. The memory must stay and must not change.
/// </summary>
public unsafe struct ConfigurationView
{
    private byte* _data;
    private ConfigurationHeader* _header;

    /// <summary>One bit for each <see cref="MatchKind"/> that is asked for.</summary>
    public readonly uint Kinds => _header->Kinds;

    /// <summary>Number of entries.</summary>
    public readonly int EntryCount => (int)_header->EntryCount;

    /// <summary>Checks a file. The view may be used only when there is no fault.</summary>
    public static ConfigurationFault Open(byte* data, ulong length, out ConfigurationView view)
    {
        view = default;
        ConfigurationHeader* header = (ConfigurationHeader*)data;
        if (length < (ulong)sizeof(ConfigurationHeader) || length > ConfigurationFormat.MaxLength)
        {
            return ConfigurationFault.Length;
        }

        if (header->Magic != ConfigurationFormat.Magic)
        {
            return ConfigurationFault.Magic;
        }

        if (header->Version != ConfigurationFormat.Version)
        {
            return ConfigurationFault.Version;
        }

        if (header->Length != length)
        {
            return ConfigurationFault.Length;
        }

        const uint Start = ConfigurationFormat.ChecksumStart;
        if (ConfigurationFormat.Checksum(data + Start, length - Start) != header->Checksum)
        {
            return ConfigurationFault.Checksum;
        }

        view._data = data;
        view._header = header;
        return view.IsSound() ? ConfigurationFault.None : ConfigurationFault.Layout;
    }

    /// <summary>How many changes of the environment and ioctl rules the file has, over all entries.</summary>
    public readonly void CountLists(out int edits, out int ioctls)
    {
        edits = 0;
        ioctls = 0;
        ConfigurationSetting* settings = Settings;
        for (uint i = 0; i < _header->SettingCount; i++)
        {
            edits += settings[i].Option == (ushort)OptionId.Environment ? 1 : 0;
            ioctls += settings[i].Option == (ushort)OptionId.Ioctl ? 1 : 0;
        }
    }

    /// <summary>Applies the entries that match, in their order.</summary>
    /// <param name="program">The program; only the kinds in <see cref="Kinds"/> are looked at.</param>
    /// <param name="matched">Scratch, <see cref="EntryCount"/> bytes, all zero.</param>
    /// <param name="settings">Changed.</param>
    /// <returns>Number of entries applied that match something.</returns>
    public readonly int Apply(in ProgramIdentity program, byte* matched, ref Settings settings)
    {
        Look(MatchKind.Path, program.Real, matched);
        if (program.Named != null && program.Named[0] == '/')
        {
            Look(MatchKind.Path, program.Named, matched);
        }

        Look(MatchKind.Name, LastPart(program.Named), matched);
        Look(MatchKind.BuildId, program.BuildId, matched);
        Look(MatchKind.Interpreter, program.Interpreter, matched);
        Look(MatchKind.Interpreter, LastPart(program.Interpreter), matched);

        int applied = 0;
        ConfigurationEntry* entries = Entries;
        for (uint i = 0; i < _header->EntryCount; i++)
        {
            uint required = entries[i].Required;
            if ((matched[i] & required) == required)
            {
                applied += required != 0 ? 1 : 0;
                for (uint s = 0; s < entries[i].SettingCount; s++)
                {
                    ApplyOne(Settings[entries[i].FirstSetting + s], ref settings);
                }
            }
        }

        return applied;
    }

    /// <summary>The part behind the last slash.</summary>
    public static byte* LastPart(byte* path)
    {
        byte* part = path;
        for (byte* at = path; at != null && *at != 0; at++)
        {
            part = *at == '/' ? at + 1 : part;
        }

        return part;
    }

    private readonly ConfigurationEntry* Entries => (ConfigurationEntry*)(_data + _header->EntryOffset);

    private readonly ConfigurationKey* Keys => (ConfigurationKey*)(_data + _header->KeyOffset);

    private readonly uint* Slots => (uint*)(_data + _header->SlotOffset);

    private readonly ConfigurationSetting* Settings => (ConfigurationSetting*)(_data + _header->SettingOffset);

    private readonly uint StringStart => _header->SettingOffset + (_header->SettingCount * (uint)sizeof(ConfigurationSetting));

    private readonly void Look(MatchKind kind, byte* text, byte* matched)
    {
        if (text == null || (_header->Kinds >> (int)kind & 1) == 0)
        {
            return;
        }

        int length = 0;
        while (text[length] != 0)
        {
            length++;
        }

        ConfigurationKey* keys = Keys;
        uint mask = _header->SlotCount - 1;
        uint hash = ConfigurationFormat.Hash(kind, text, length);
        for (uint probe = 0; probe <= mask; probe++)
        {
            uint slot = Slots[(hash + probe) & mask];
            if (slot == 0)
            {
                break;
            }

            ConfigurationKey* key = keys + (slot - 1);
            if (key->Hash == hash && key->Kind == (uint)kind && key->Length == length && Same(_data + key->Text, text, length))
            {
                matched[key->Entry] |= (byte)(1 << (int)kind);
            }
        }

        for (uint i = _header->ExactCount; i < _header->KeyCount; i++)
        {
            if (keys[i].Kind == (uint)kind && Glob.Matches(_data + keys[i].Text, keys[i].Length, text, length))
            {
                matched[keys[i].Entry] |= (byte)(1 << (int)kind);
            }
        }
    }

    private static bool Same(byte* a, byte* b, int length)
    {
        for (int i = 0; i < length; i++)
        {
            if (a[i] != b[i])
            {
                return false;
            }
        }

        return true;
    }

    private readonly void ApplyOne(in ConfigurationSetting setting, ref Settings settings)
    {
        OptionId id = (OptionId)setting.Option;
        SettingAction action = (SettingAction)setting.Action;
        switch (OptionTable.Row(id).Type)
        {
            case OptionType.Boolean:
                settings.SetBoolean(id, setting.A != 0);
                break;
            case OptionType.Token:
                settings.SetToken(id, (int)setting.A);
                break;
            case OptionType.Path:
                settings.SetRoot(action == SettingAction.Clear ? null : _data + setting.A);
                break;
            case OptionType.EnvironmentMap:
                settings.AddEdit(_data + setting.A, NameLength(setting), action);
                break;
            case OptionType.FeatureMap:
                settings.SetFeature((int)setting.A, action == SettingAction.Set);
                break;
            case OptionType.IoctlMap:
                if (action == SettingAction.All)
                {
                    settings.SetUnknownIoctl((IoctlPolicy)setting.B);
                }
                else
                {
                    settings.SetIoctl(setting.A, (IoctlPolicy)setting.B);
                }

                break;
            case OptionType.Size:
                settings.SetCodeCache(setting.A);
                break;
            default:
                settings.SetWorkaround((int)setting.A, action == SettingAction.Set);
                break;
        }
    }

    private readonly int NameLength(in ConfigurationSetting setting)
    {
        if (setting.Action != (ushort)SettingAction.Set)
        {
            return (int)setting.B;
        }

        int length = 0;
        while (_data[setting.A + (uint)length] != '=')
        {
            length++;
        }

        return length;
    }

    private readonly bool IsSound()
    {
        ConfigurationHeader* h = _header;
        if (h->EntryCount > ConfigurationFormat.MaxEntries || h->ExactCount > h->KeyCount
            || h->SlotCount == 0 || (h->SlotCount & (h->SlotCount - 1)) != 0 || h->SlotCount <= h->ExactCount
            || !Fits(h->EntryOffset, h->EntryCount, (uint)sizeof(ConfigurationEntry))
            || !Fits(h->KeyOffset, h->KeyCount, (uint)sizeof(ConfigurationKey))
            || !Fits(h->SlotOffset, h->SlotCount, sizeof(uint))
            || !Fits(h->SettingOffset, h->SettingCount, (uint)sizeof(ConfigurationSetting)))
        {
            return false;
        }

        uint nextSetting = 0;
        for (uint i = 0; i < h->EntryCount; i++)
        {
            // One behind the other: no setting is applied twice.
            ConfigurationEntry* entry = Entries + i;
            if (entry->FirstSetting != nextSetting || entry->SettingCount > h->SettingCount - nextSetting || (entry->Required & ~15u) != 0)
            {
                return false;
            }

            nextSetting += entry->SettingCount;
        }

        for (uint i = 0; i < h->KeyCount; i++)
        {
            ConfigurationKey* key = Keys + i;
            if (key->Kind > (uint)MatchKind.Interpreter || key->Entry >= h->EntryCount
                || key->Length > ConfigurationFormat.MaxKeyLength || !IsString(key->Text, key->Length))
            {
                return false;
            }
        }

        bool free = false;
        for (uint i = 0; i < h->SlotCount; i++)
        {
            if (Slots[i] > h->ExactCount)
            {
                return false;
            }

            free |= Slots[i] == 0;
        }

        for (uint i = 0; i < h->SettingCount; i++)
        {
            if (!IsSound(Settings[i]))
            {
                return false;
            }
        }

        return free;
    }

    private readonly bool IsSound(in ConfigurationSetting s)
    {
        if (s.Option >= OptionTable.Count || s.Action > (ushort)SettingAction.All)
        {
            return false;
        }

        OptionRow row = OptionTable.Row((OptionId)s.Option);
        bool all = s.Action == (ushort)SettingAction.All;
        switch (row.Type)
        {
            case OptionType.Boolean:
                return s.Action == 0 && s.A <= 1;
            case OptionType.Token:
                return s.Action == 0 && s.A < (uint)Tokens.Count(row.Tokens);
            case OptionType.Path:
                return !all && (s.Action != 0 || (IsString(s.A, s.B) && _data[s.A] == '/'));
            case OptionType.EnvironmentMap:
                return IsString(s.A, s.B) && (s.Action != 0 || HasName(s.A, s.B));
            case OptionType.FeatureMap:
                return !all && s.A < CpuFeatures.Count;
            case OptionType.IoctlMap:
                return s.Action != (ushort)SettingAction.Clear && s.B <= (uint)IoctlPolicy.Log;
            case OptionType.Size:
                return s.Action == 0 && s.A is >= Sizes.LeastKiB and <= Sizes.MostKiB;
            default:
                return !all && s.A < WorkaroundTable.Count;
        }
    }

    private readonly bool HasName(uint text, uint length)
    {
        for (uint i = 0; i < length; i++)
        {
            if (_data[text + i] == '=')
            {
                return i != 0;
            }
        }

        return false;
    }

    private readonly bool Fits(uint offset, uint count, uint size)
        => (offset & 3) == 0 && offset >= sizeof(ConfigurationHeader) && offset + ((ulong)count * size) <= _header->Length;

    /// <summary>In the strings, ended by a zero byte, and without one inside.</summary>
    private readonly bool IsString(uint text, uint length)
    {
        if (text < StringStart || text + (ulong)length >= _header->Length || _data[text + length] != 0)
        {
            return false;
        }

        for (uint i = 0; i < length; i++)
        {
            if (_data[text + i] == 0)
            {
                return false;
            }
        }

        return true;
    }
}
