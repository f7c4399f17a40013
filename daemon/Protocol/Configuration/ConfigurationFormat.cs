using System.Runtime.InteropServices;

namespace Lodge.Protocol;

/// <summary>Head of a compiled configuration file. All numbers little-endian; offsets from the file's first byte, multiples of 4.</summary>
/// <remarks>
/// <code>
/// header | entries | keys | slots | settings | strings
/// </code>
/// Entries are in the order in which they apply. Keys say what an entry matches: exact ones are found through the slots (open addressing,
/// linear probing), patterns stand behind them and are tried one by one. Settings belong to entries by ranges. Strings end with a zero byte
/// that their length does not count.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
public struct ConfigurationHeader
{
    /// <summary>"LODGECFG".</summary>
    public ulong Magic;
    /// <summary><see cref="ConfigurationFormat.Version"/>.</summary>
    public uint Version;
    /// <summary>Bytes of the file.</summary>
    public uint Length;
    /// <summary><see cref="ConfigurationFormat.Checksum"/> of all bytes behind this field.</summary>
    public ulong Checksum;
    /// <summary>One bit for each <see cref="MatchKind"/> that a key uses.</summary>
    public uint Kinds;
    /// <summary>Entries: number and place.</summary>
    public uint EntryCount, EntryOffset;
    /// <summary>Keys: number, how many of them are exact, place.</summary>
    public uint KeyCount, ExactCount, KeyOffset;
    /// <summary>Slots of the hash table: number (a power of two, more than there are exact keys), and place.</summary>
    public uint SlotCount, SlotOffset;
    /// <summary>Settings: number and place. The strings begin behind them.</summary>
    public uint SettingCount, SettingOffset;
}

/// <summary>What a key is compared with.</summary>
public enum MatchKind : byte
{
    /// <summary>Path of the program, as it was named (if absolute), or as the kernel knows the open file.</summary>
    Path,
    /// <summary>Last part of the path as the program was named.</summary>
    Name,
    /// <summary>Build-id of the program, lower-case hexadecimal.</summary>
    BuildId,
    /// <summary>PT_INTERP of the program: its path or its last part.</summary>
    Interpreter,
}

/// <summary>Settings that apply together, when a key of each required kind matches; with none required, always.</summary>
[StructLayout(LayoutKind.Sequential, Size = 12)]
public struct ConfigurationEntry
{
    /// <summary>Index of the first setting.</summary>
    public uint FirstSetting;
    /// <summary>Number of settings.</summary>
    public uint SettingCount;
    /// <summary>One bit for each <see cref="MatchKind"/>.</summary>
    public uint Required;
}

/// <summary>One thing that an entry matches.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
public struct ConfigurationKey
{
    /// <summary><see cref="ConfigurationFormat.Hash"/> of an exact key; 0 for a pattern.</summary>
    public uint Hash;
    /// <summary>Place of the text.</summary>
    public uint Text;
    /// <summary>Bytes of the text.</summary>
    public ushort Length;
    /// <summary>Index of the entry.</summary>
    public ushort Entry;
    /// <summary>A <see cref="MatchKind"/>.</summary>
    public uint Kind;
}

/// <summary>One value of one option, or one member of a map.</summary>
[StructLayout(LayoutKind.Sequential, Size = 12)]
public struct ConfigurationSetting
{
    /// <summary>An <see cref="OptionId"/>.</summary>
    public ushort Option;
    /// <summary>What to do with the member; see <see cref="SettingAction"/>.</summary>
    public ushort Action;
    /// <summary>Boolean, index of the token, feature, work-around, request number, or place of a string.</summary>
    public uint A;
    /// <summary>Bytes of the string, or the policy of a request.</summary>
    public uint B;
}

/// <summary>Forms of a <see cref="ConfigurationSetting"/>.</summary>
public enum SettingAction : ushort
{
    /// <summary>The value, or the member, holds. An environment string is NAME=VALUE.</summary>
    Set,
    /// <summary>The member is taken back (variable dropped, feature hidden, work-around off), the path is none.</summary>
    Clear,
    /// <summary>All variables that begin with the string are dropped; or the policy holds for all unknown requests.</summary>
    All,
}

/// <summary>Numbers and sums of the compiled file.</summary>
public static unsafe class ConfigurationFormat
{
    /// <summary>"LODGECFG" in memory.</summary>
    public const ulong Magic = 0x47464345_47444F4C;
    /// <summary>Raised with every change of the layout, or of what numbers in it mean.</summary>
    public const uint Version = 1;
    /// <summary>Largest file, bytes.</summary>
    public const uint MaxLength = 4 << 20;
    /// <summary>Most entries.</summary>
    public const uint MaxEntries = 4096;
    /// <summary>Longest key, bytes.</summary>
    public const int MaxKeyLength = 4095;
    /// <summary>Offset of the first byte that the checksum covers.</summary>
    public const uint ChecksumStart = 24;

    /// <summary>Hash of a key: FNV-1a over the kind and the text.</summary>
    public static uint Hash(MatchKind kind, byte* text, int length)
    {
        uint hash = (2166136261u ^ (uint)kind) * 16777619u;
        for (int i = 0; i < length; i++)
        {
            hash = (hash ^ text[i]) * 16777619u;
        }

        return hash;
    }

    /// <summary>Sum over whole words and then the rest; every bit of the input changes about half of it. Against accidents, not against forgery.</summary>
    public static ulong Checksum(byte* data, ulong length)
    {
        const ulong Multiplier = 0x9E3779B97F4A7C15;
        ulong sum = length * Multiplier;
        ulong words = length / 8;
        for (ulong i = 0; i < words; i++)
        {
            sum = (sum ^ ((ulong*)data)[i]) * Multiplier;
            sum ^= sum >> 29;
        }

        for (ulong i = words * 8; i < length; i++)
        {
            sum = (sum ^ data[i]) * Multiplier;
            sum ^= sum >> 29;
        }

        return sum ^ (sum >> 32);
    }
}
