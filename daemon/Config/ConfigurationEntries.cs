using System.Collections.Generic;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>Where a value comes from.</summary>
/// <param name="File">Path of the file, or what else set it ("built-in", "LODGE_STRACE in the environment").</param>
/// <param name="Position">Place in the file; line 0 where there is none.</param>
public sealed record Origin(string File, Position Position)
{
    /// <summary>What holds when nobody says anything.</summary>
    public static Origin BuiltIn { get; } = new("built-in", default);

    /// <inheritdoc/>
    public override string ToString() => Position.Line == 0 ? File : $"{File}:{Position.Line}";
}

/// <summary>One value of one option, or one member of a map, as a file says it.</summary>
/// <param name="Option">The option.</param>
/// <param name="Member">Name of the member as the file writes it (requests as 0x and eight digits); empty for options that are no maps.</param>
/// <param name="Value">Text of the value; null where the file says null.</param>
/// <param name="Origin">Where it says so.</param>
public sealed record SettingText(OptionId Option, string Member, string? Value, Origin Origin);

/// <summary>What one entry matches: any of the texts of each kind given, all kinds together.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Texts">The texts; build-ids in lower case.</param>
public sealed record MatchTexts(MatchKind Kind, IReadOnlyList<string> Texts);

/// <summary>Settings that belong together, and for which programs they are meant.</summary>
/// <param name="Matches">Empty: for all.</param>
/// <param name="Settings">In the order of the file.</param>
/// <param name="Origin">The application's place; for defaults, theirs.</param>
public sealed record EntryTexts(IReadOnlyList<MatchTexts> Matches, IReadOnlyList<SettingText> Settings, Origin Origin);
