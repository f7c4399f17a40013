using System;
using System.Collections.Generic;
using System.IO;

namespace Lodge.Translator.Tables;

/// <summary><c>lodge-tables [--check] TABLE OUTPUT</c>: writes the generated file, or proves that it is up to date.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        bool check = args.Length > 0 && args[0] == "--check";
        string[] paths = check ? args[1..] : args;
        if (paths.Length != 2)
        {
            Console.Error.WriteLine("usage: lodge-tables [--check] TABLE OUTPUT");
            return 2;
        }
        try
        {
            List<TableRow> rows = TableParser.Parse(File.ReadLines(paths[0]));
            var trie = new TableTrie(rows);
            string text = TableWriter.Write(rows, trie);
            if (check)
            {
                bool same = File.Exists(paths[1]) && File.ReadAllText(paths[1]) == text;
                Console.WriteLine(same ? "up to date" : $"{paths[1]} is not what {paths[0]} gives: run `make tables`");
                return same ? 0 : 1;
            }
            File.WriteAllText(paths[1], text);
            Console.WriteLine($"{rows.Count} rows, {trie.Nodes.Count} node words");
            return 0;
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{paths[0]}: {e.Message}");
            return 1;
        }
    }
}
