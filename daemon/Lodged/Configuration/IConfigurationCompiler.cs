using System.Collections.Generic;

namespace Lodge.Service;

/// <summary>What a compilation gave.</summary>
/// <param name="Image">The compiled file; null when the sources are bad: the last good one stays.</param>
/// <param name="Problems">What is wrong, one line each with file, line and column; warnings too.</param>
internal sealed record CompilationOutcome(byte[]? Image, IReadOnlyList<string> Problems);

/// <summary>Makes the compiled configuration out of all its sources. Used off the loop's thread, one call at a time.</summary>
internal interface IConfigurationCompiler
{
    /// <summary>Files and directories whose change means that there is something to compile, whether they exist or not.</summary>
    IReadOnlyList<string> Sources { get; }

    /// <summary>Compiles. Does not throw for bad sources.</summary>
    CompilationOutcome Compile();
}
