using System.Runtime.InteropServices;

namespace Lodge.Protocol;

/// <summary>One change of the environment.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct EnvironmentEdit
{
    /// <summary>NAME=VALUE to set, NAME to drop, or the beginning of the names to drop; zero-terminated.</summary>
    public byte* Text;
    /// <summary>Bytes of the name, or of the beginning.</summary>
    public int NameLength;
    /// <summary>What to do.</summary>
    public SettingAction Action;
}

/// <summary>What happens to one ioctl request.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct IoctlRule
{
    /// <summary>Request number as the guest says it.</summary>
    public uint Request;
    /// <summary>What happens.</summary>
    public IoctlPolicy Policy;
}

/// <summary>
/// The options in force for one program. Built by applying settings one after the other, later ones on top; all-zero means nothing is set.
/// Strings and lists lie where the caller put them: the compiled file, the environment, and the room given to <see cref="GiveRoom"/>.
/// Plain data, no locks.
/// </summary>
public unsafe struct Settings
{
    /// <summary>One bit for each <see cref="OptionId"/> that something was said about.</summary>
    public uint Given;
    /// <summary>Personality bits to set.</summary>
    public uint PersonalitySet;
    /// <summary>Personality bits to clear.</summary>
    public uint PersonalityClear;
    /// <summary>One bit for each <see cref="Workaround"/> in force.</summary>
    public uint Workarounds;
    /// <summary>Memory for translated code in KiB, when given.</summary>
    public uint CodeCacheKiB;
    /// <summary>One bit for each <see cref="Workaround"/> that was taken back.</summary>
    public uint WorkaroundsOff;
    /// <summary>One bit for each <see cref="CpuFeature"/> to show whatever the level says.</summary>
    public ulong CpuShown;
    /// <summary>One bit for each <see cref="CpuFeature"/> to hide.</summary>
    public ulong CpuHidden;
    /// <summary>Root directory; null for none.</summary>
    public byte* Root;
    /// <summary>Changes of the environment, in the order in which they are to be made.</summary>
    public EnvironmentEdit* Edits;
    /// <summary>Rules for ioctl requests; no request twice.</summary>
    public IoctlRule* Ioctls;
    /// <summary>Number of changes.</summary>
    public int EditCount;
    /// <summary>Number of rules.</summary>
    public int IoctlCount;
    /// <summary>Room for changes.</summary>
    public int EditRoom;
    /// <summary>Room for rules.</summary>
    public int IoctlRoom;
    /// <summary>Policy for unknown requests plus one; 0 when nothing is said.</summary>
    public byte UnknownIoctl;
    /// <summary>Index into <see cref="CpuFeatures.Levels"/>.</summary>
    public byte CpuLevel;
    /// <summary>A <see cref="Protocol.LogLevel"/>, when given.</summary>
    public byte LogLevelValue;
    /// <summary>Non-zero: calls are traced.</summary>
    public byte Strace;

    /// <summary>How much is said.</summary>
    public readonly LogLevel LogLevel => IsGiven(OptionId.LogLevel) ? (LogLevel)LogLevelValue : LogLevel.Warning;

    /// <summary>CPU features to hide, those that build on hidden ones included.</summary>
    public readonly ulong HiddenFeatures => CpuFeatures.Hidden(CpuLevel, CpuShown, CpuHidden);

    /// <summary>True if something was said about the option.</summary>
    public readonly bool IsGiven(OptionId id) => (Given >> (int)id & 1) != 0;

    /// <summary>True if the work-around is in force.</summary>
    public readonly bool Has(Workaround workaround) => (Workarounds >> (int)workaround & 1) != 0;

    /// <summary>Bytes that <see cref="GiveRoom"/> wants for so many changes and rules.</summary>
    public static ulong RoomFor(int edits, int ioctls)
        => ((ulong)(uint)edits * (ulong)sizeof(EnvironmentEdit)) + ((ulong)(uint)ioctls * (ulong)sizeof(IoctlRule));

    /// <summary>Gives the record memory for its lists, once. What does not fit into them later is left out.</summary>
    public void GiveRoom(byte* room, int edits, int ioctls)
    {
        Edits = (EnvironmentEdit*)room;
        EditRoom = edits;
        Ioctls = (IoctlRule*)(room + ((ulong)(uint)edits * (ulong)sizeof(EnvironmentEdit)));
        IoctlRoom = ioctls;
    }

    /// <summary>Sets a Boolean, whether or not it is one of the personality.</summary>
    public void SetBoolean(OptionId id, bool value)
    {
        Given |= 1u << (int)id;
        uint bits = OptionTable.Row(id).PersonalityBits;
        if (bits == 0)
        {
            Strace = value ? (byte)1 : (byte)0;
            return;
        }

        if (value == (id == OptionId.Randomize))
        {
            PersonalitySet &= ~bits;
            PersonalityClear |= bits;
        }
        else
        {
            PersonalityClear &= ~bits;
            PersonalitySet |= bits;
        }
    }

    /// <summary>Sets an option with tokens.</summary>
    public void SetToken(OptionId id, int index)
    {
        Given |= 1u << (int)id;
        if (id == OptionId.CpuLevel)
        {
            CpuLevel = (byte)index;
        }
        else
        {
            LogLevelValue = (byte)index;
        }
    }

    /// <summary>Sets the memory for translated code.</summary>
    public void SetCodeCache(uint kib)
    {
        Given |= 1u << (int)OptionId.CodeCache;
        CodeCacheKiB = kib;
    }

    /// <summary>Sets or takes away the root directory.</summary>
    public void SetRoot(byte* path)
    {
        Given |= 1u << (int)OptionId.Root;
        Root = path;
    }

    /// <summary>Shows or hides a CPU feature.</summary>
    public void SetFeature(int feature, bool shown)
    {
        Given |= 1u << (int)OptionId.Cpu;
        CpuShown &= ~(1ul << feature);
        CpuHidden &= ~(1ul << feature);
        if (shown)
        {
            CpuShown |= 1ul << feature;
        }
        else
        {
            CpuHidden |= 1ul << feature;
        }
    }

    /// <summary>Puts a work-around in force or takes it back.</summary>
    public void SetWorkaround(int workaround, bool inForce)
    {
        Given |= 1u << (int)OptionId.Workarounds;
        Workarounds &= ~(1u << workaround);
        WorkaroundsOff &= ~(1u << workaround);
        if (inForce)
        {
            Workarounds |= 1u << workaround;
        }
        else
        {
            WorkaroundsOff |= 1u << workaround;
        }
    }

    /// <summary>Adds a change of the environment behind those before it.</summary>
    public void AddEdit(byte* text, int nameLength, SettingAction action)
    {
        Given |= 1u << (int)OptionId.Environment;
        if (EditCount < EditRoom)
        {
            Edits[EditCount].Text = text;
            Edits[EditCount].NameLength = nameLength;
            Edits[EditCount].Action = action;
            EditCount++;
        }
    }

    /// <summary>Sets the policy of one request.</summary>
    public void SetIoctl(uint request, IoctlPolicy policy)
    {
        Given |= 1u << (int)OptionId.Ioctl;
        int at = 0;
        while (at < IoctlCount && Ioctls[at].Request != request)
        {
            at++;
        }

        if (at < IoctlRoom)
        {
            Ioctls[at].Request = request;
            Ioctls[at].Policy = policy;
            IoctlCount = at == IoctlCount ? at + 1 : IoctlCount;
        }
    }

    /// <summary>Sets the policy of all requests that the shim does not know.</summary>
    public void SetUnknownIoctl(IoctlPolicy policy)
    {
        Given |= 1u << (int)OptionId.Ioctl;
        UnknownIoctl = (byte)(policy + 1);
    }

    /// <summary>Finds the policy of a request; false when nothing is said about it.</summary>
    public readonly bool TryFindIoctl(uint request, out IoctlPolicy policy)
    {
        for (int i = 0; i < IoctlCount; i++)
        {
            if (Ioctls[i].Request == request)
            {
                policy = Ioctls[i].Policy;
                return true;
            }
        }

        policy = default;
        return false;
    }
}
