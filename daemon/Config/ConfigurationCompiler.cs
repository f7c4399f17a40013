using System;
using System.Collections.Generic;
using System.Linq;
using Lodge.Protocol;

namespace Lodge.Config;

/// <summary>What came of reading and compiling configuration files.</summary>
public sealed class CompileResult
{
    internal CompileResult(byte[]? bytes, IReadOnlyList<EntryTexts> entries, IReadOnlyList<string> files, IReadOnlyList<Diagnostic> diagnostics)
    {
        Bytes = bytes;
        Entries = entries;
        Files = files;
        Diagnostics = diagnostics;
    }

    /// <summary>The compiled file; null when there is an error.</summary>
    public byte[]? Bytes { get; }

    /// <summary>True when there is no error.</summary>
    public bool Success => Bytes != null;

    /// <summary>The entries of all files without errors, in the order in which they apply.</summary>
    public IReadOnlyList<EntryTexts> Entries { get; }

    /// <summary>The files that were read.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>What is wrong, in the order of files and lines.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; }

    /// <summary>
    /// Puts the compiled file in its place by <see cref="CompiledFile.Publish"/>. Only after success: an error leaves what is there.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is nothing to publish.</exception>
    public PublishResult Publish(string path)
        => CompiledFile.Publish(path, Bytes ?? throw new InvalidOperationException("configuration with errors is not published"));
}

/// <summary>Compiles configuration files. No state; any thread.</summary>
public static class ConfigurationCompiler
{
    /// <summary>Compiles the files of a directory (see <see cref="ConfigurationLayers"/>). No files at all give a valid, empty result.</summary>
    public static CompileResult Compile(ConfigurationLayers layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        List<Diagnostic> diagnostics = [];
        return Compile(layers.Files(diagnostics), diagnostics);
    }

    /// <summary>Compiles files, the first one lowest.</summary>
    public static CompileResult Compile(IReadOnlyList<string> files) => Compile(files, []);

    private static CompileResult Compile(IReadOnlyList<string> files, List<Diagnostic> diagnostics)
    {
        ArgumentNullException.ThrowIfNull(files);
        using SchemaValidator validator = SchemaValidator.ForConfiguration();
        List<EntryTexts> entries = [];
        foreach (string file in files)
        {
            entries.AddRange(ConfigurationFile.Read(file, validator, diagnostics));
        }

        byte[]? bytes = diagnostics.Any(d => d.Severity == Severity.Error) ? null : ToBytes(entries, diagnostics);
        return new CompileResult(bytes, entries, files, diagnostics);
    }

    /// <summary>The compiled form of entries; null, and a diagnostic, when they are too many.</summary>
    internal static byte[]? ToBytes(IReadOnlyList<EntryTexts> entries, ICollection<Diagnostic> diagnostics)
    {
        if (entries.Count > ConfigurationFormat.MaxEntries)
        {
            Origin last = entries[(int)ConfigurationFormat.MaxEntries].Origin;
            diagnostics.Add(new Diagnostic(last.File, last.Position, Severity.Error,
                $"expected at most {ConfigurationFormat.MaxEntries} applications in all files, found {entries.Count}"));
            return null;
        }

        ConfigurationWriter writer = new();
        foreach (EntryTexts entry in entries)
        {
            writer.Add(entry);
        }

        byte[] bytes = writer.ToBytes();
        if (bytes.Length > ConfigurationFormat.MaxLength)
        {
            diagnostics.Add(new Diagnostic(entries[^1].Origin.File, default, Severity.Error,
                $"expected at most {ConfigurationFormat.MaxLength} bytes compiled, found {bytes.Length}"));
            return null;
        }

        return bytes;
    }
}
