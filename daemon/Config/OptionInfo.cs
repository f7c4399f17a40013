using System;
using System.Collections.Generic;
using System.Text;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>The shared table as ordinary strings.</summary>
public sealed class OptionInfo
{
    private OptionInfo(OptionId id)
    {
        OptionRow row = OptionTable.Row(id);
        Id = id;
        Name = Encoding.ASCII.GetString(row.Name);
        Type = row.Type;
        Scope = row.Scope;
        Default = Encoding.ASCII.GetString(row.Default);
        Example = Encoding.ASCII.GetString(row.Example);
        Doc = Encoding.ASCII.GetString(row.Doc);
        Tokens = Words(row.Tokens);
    }

    /// <summary>All options, by number.</summary>
    public static IReadOnlyList<OptionInfo> All { get; } = Create();

    /// <summary>Names of the CPU features, by number.</summary>
    public static IReadOnlyList<string> Features { get; } = Words(CpuFeatures.Names);

    /// <summary>Names of the work-arounds, by number.</summary>
    public static IReadOnlyList<string> Workarounds { get; } = Words(WorkaroundTable.Names);

    /// <summary>Names of the ioctl policies, by number.</summary>
    public static IReadOnlyList<string> Policies { get; } = Words(IoctlPolicies.Names);

    /// <summary>The key of all ioctl requests that the shim does not know.</summary>
    public static string UnknownRequests { get; } = Encoding.ASCII.GetString(IoctlPolicies.Unknown);

    /// <summary>Number.</summary>
    public OptionId Id { get; }

    /// <summary>Name in files; --name on the command line.</summary>
    public string Name { get; }

    /// <summary>Environment variable.</summary>
    public string Variable => "LODGE_" + Name.ToUpperInvariant().Replace('-', '_');

    /// <summary>How values are written.</summary>
    public OptionType Type { get; }

    /// <summary>Where it may be set.</summary>
    public OptionScope Scope { get; }

    /// <summary>Values of a token option.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>Default as JSON, or a remark in parentheses.</summary>
    public string Default { get; }

    /// <summary>An example value as JSON.</summary>
    public string Example { get; }

    /// <summary>What it does.</summary>
    public string Doc { get; }

    /// <summary>True for options whose value is an object.</summary>
    public bool IsMap => Type is OptionType.EnvironmentMap or OptionType.FeatureMap or OptionType.IoctlMap or OptionType.WorkaroundMap;

    /// <summary>The option of this name; null if there is none.</summary>
    public static OptionInfo? Find(string name)
    {
        foreach (OptionInfo option in All)
        {
            if (option.Name == name)
            {
                return option;
            }
        }

        return null;
    }

    /// <summary>The option of an id.</summary>
    public static OptionInfo Of(OptionId id) => All[(int)id];

    /// <summary>What a work-around does.</summary>
    public static string WorkaroundDoc(int workaround) => Encoding.ASCII.GetString(WorkaroundTable.Doc((Workaround)workaround));

    /// <summary>Position of a word in a list; -1 if it is not there.</summary>
    public static int IndexOf(IReadOnlyList<string> words, string word)
    {
        ArgumentNullException.ThrowIfNull(words);
        for (int i = 0; i < words.Count; i++)
        {
            if (words[i] == word)
            {
                return i;
            }
        }

        return -1;
    }

    private static OptionInfo[] Create()
    {
        OptionInfo[] all = new OptionInfo[OptionTable.Count];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = new OptionInfo((OptionId)i);
        }

        return all;
    }

    private static string[] Words(ReadOnlySpan<byte> list)
        => list.IsEmpty ? [] : Encoding.ASCII.GetString(list).Split(' ');
}
