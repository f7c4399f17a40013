using System;
using System.Collections.Generic;

namespace Lodge.Config;

/// <summary>What a value is.</summary>
public enum JsoncKind
{
    /// <summary>null.</summary>
    Null,
    /// <summary>true or false.</summary>
    Boolean,
    /// <summary>A number.</summary>
    Number,
    /// <summary>A string.</summary>
    String,
    /// <summary>An array.</summary>
    Array,
    /// <summary>An object.</summary>
    Object,
}

/// <summary>A value of a configuration file, and where it stands.</summary>
public sealed class JsoncNode
{
    internal JsoncNode(JsoncKind kind, Position position)
    {
        Kind = kind;
        Position = position;
    }

    /// <summary>What it is.</summary>
    public JsoncKind Kind { get; }

    /// <summary>Its first character.</summary>
    public Position Position { get; }

    /// <summary>Value of a string; the text of a number.</summary>
    public string Text { get; internal init; } = "";

    /// <summary>Value of a Boolean.</summary>
    public bool Flag { get; internal init; }

    /// <summary>Elements of an array.</summary>
    public IReadOnlyList<JsoncNode> Items { get; internal set; } = Array.Empty<JsoncNode>();

    /// <summary>Members of an object, in the order of the file; names are unique.</summary>
    public IReadOnlyList<JsoncMember> Members { get; internal set; } = Array.Empty<JsoncMember>();

    /// <summary>A member's value; null if there is none of this name.</summary>
    public JsoncNode? Find(string name)
    {
        foreach (JsoncMember member in Members)
        {
            if (member.Name == name)
            {
                return member.Value;
            }
        }

        return null;
    }
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Position">Where the name stands.</param>
/// <param name="Value">Its value.</param>
public sealed record JsoncMember(string Name, Position Position, JsoncNode Value);
