using System;
using System.IO;
using Lodge.Config;

namespace Lodge.ConfigTables;

/// <summary>Usage: lodge-config-tables ROOT. Writes the files made from the option table below the repository's root.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length != 1)
        {
            Console.Error.WriteLine("usage: lodge-config-tables ROOT");
            return 2;
        }

        Write(args[0], "packaging/config/lodge.schema.json", _ => SchemaGenerator.Generate());
        Write(args[0], "packaging/config/lodge.jsonc", _ => Documents.DefaultFile());
        Write(args[0], "docs/configuration.md", Documents.Replace);
        return 0;
    }

    private static void Write(string root, string name, Func<string, string> make)
    {
        string path = Path.Combine(root, name);
        string before = File.Exists(path) ? File.ReadAllText(path) : "";
        string after = make(before);
        if (after != before)
        {
            File.WriteAllText(path, after);
            Console.WriteLine("wrote " + name);
        }
    }
}
