using System.Collections.Generic;

namespace Lodge.Cli.Run;

/// <summary>The command line for the shim: its options, "--", the program and its arguments byte for byte.</summary>
internal static class ShimArguments
{
    /// <summary>Puts them together.</summary>
    /// <param name="words">The program and its arguments, as parsed: the last words of this process's own command line.</param>
    /// <param name="root">The program's root directory, or null.</param>
    /// <param name="options">Options of the shim.</param>
    public static byte[][] Build(string[] words, string? root, IEnumerable<string> options)
    {
        List<byte[]> arguments = [ProcessStart.Bytes("lodge-shim")];
        foreach (string option in options)
        {
            arguments.Add(ProcessStart.Bytes(option));
        }

        if (root != null)
        {
            arguments.Add(ProcessStart.Bytes("--root=" + root));
        }

        byte[][] given = ProcessStart.LastArguments(words.Length);
        string path = ProgramPath.Resolve(words[0], root);
        if (path != words[0])
        {
            // As the shell would: found in PATH, and called by the name that was typed.
            arguments.Add([.. "--argv0="u8, .. given[0]]);
            given[0] = ProcessStart.Bytes(path);
        }

        return [.. arguments, ProcessStart.Bytes("--"), .. given];
    }
}
