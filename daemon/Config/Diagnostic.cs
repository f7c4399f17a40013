using System.Globalization;

namespace Lodge.Config;

/// <summary>A place in a text file. Lines and columns count from 1; a column is a character (code point). Line 0: the file as a whole.</summary>
/// <param name="Line">Line.</param>
/// <param name="Column">Column.</param>
public readonly record struct Position(int Line, int Column);

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>The file can be used.</summary>
    Warning,
    /// <summary>The file cannot be used.</summary>
    Error,
}

/// <summary>Something found in a configuration file.</summary>
/// <param name="File">Path as it was given.</param>
/// <param name="Position">Where.</param>
/// <param name="Severity">How bad.</param>
/// <param name="Message">What is wrong: for values "expected … , found …".</param>
public sealed record Diagnostic(string File, Position Position, Severity Severity, string Message)
{
    /// <summary>file:line:column: error: message, as compilers write it.</summary>
    public override string ToString()
    {
        string kind = Severity == Severity.Error ? "error" : "warning";
        return Position.Line == 0
            ? $"{File}: {kind}: {Message}"
            : string.Create(CultureInfo.InvariantCulture, $"{File}:{Position.Line}:{Position.Column}: {kind}: {Message}");
    }
}
