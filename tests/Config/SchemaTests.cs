using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Lodge.Config;
using Lodge.Protocol;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>What the schema refuses, and that everything made from the option table is up to date.</summary>
public sealed class SchemaTests
{
    [Theory]
    [InlineData("[]", "test.jsonc:1:1: error: expected an object with \"defaults\" and \"applications\", found an array")]
    [InlineData("{ \"default\": {} }",
        "test.jsonc:1:3: error: expected one of \"$schema\", \"defaults\", \"applications\", found \"default\"; did you mean \"defaults\"?")]
    [InlineData("{ \"defaults\": {\n  \"strace\": \"yes\" } }", "test.jsonc:2:13: error: expected true or false, found \"yes\"")]
    [InlineData("{ \"defaults\": { \"randomize\": null } }", "test.jsonc:1:30: error: expected true or false, found null")]
    [InlineData("{ \"defaults\": { \"cpu-level\": \"v2\" } }",
        "test.jsonc:1:30: error: expected one of \"host\", \"i586\", \"i686\", \"x86-64-v1\", \"x86-64-v2\", \"x86-64-v3\", found \"v2\"")]
    [InlineData("{ \"defaults\": { \"log-level\": \"Info\" } }",
        "test.jsonc:1:30: error: expected one of \"error\", \"warning\", \"info\", \"debug\", found \"Info\"; did you mean \"info\"?")]
    [InlineData("{ \"defaults\": { \"code-cache\": \"2G\" } }", "test.jsonc:1:31: error: expected a size from 1M to 1G: digits, and K, M or G, found \"2G\"")]
    [InlineData("{ \"defaults\": { \"root\": \"srv/root\" } }", "test.jsonc:1:25: error: expected an absolute path, or null, found \"srv/root\"")]
    [InlineData("{ \"defaults\": { \"environment\": {\n \"A=B\": \"x\" } } }",
        "test.jsonc:2:2: error: expected a variable's name, or the beginning of names and a star, found \"A=B\"")]
    [InlineData("{ \"defaults\": { \"environment\": { \"A*\": \"x\" } } }",
        "test.jsonc:1:40: error: expected null, because a name with a star can only be dropped, found \"x\"")]
    [InlineData("{ \"defaults\": { \"environment\": { \"A\": 1 } } }", "test.jsonc:1:39: error: expected text, or null to drop the variable, found 1")]
    [InlineData("{ \"defaults\": { \"ioctl\": { \"21505\": \"pass\" } } }",
        "test.jsonc:1:28: error: expected an ioctl request such as \"0x5401\", or \"unknown\", found \"21505\"")]
    [InlineData("{ \"defaults\": { \"ioctl\": { \"0x5401\": \"deny\" } } }",
        "test.jsonc:1:38: error: expected one of \"refuse\", \"pass\", \"log\", found \"deny\"")]
    [InlineData("{ \"defaults\": { \"cpu\": { \"avx\": \"off\" } } }", "test.jsonc:1:33: error: expected true (shown) or false (hidden), found \"off\"")]
    [InlineData("{ \"defaults\": { \"workarounds\": { \"single-cpu\": \" \" } } }",
        "test.jsonc:1:48: error: expected the reason why this program needs it, or null, found \" \"")]
    [InlineData("{ \"applications\": [\n { \"options\": {} } ] }",
        "test.jsonc:2:2: error: expected an application: an object with \"match\" and \"options\", found none named \"match\"")]
    [InlineData("{ \"applications\": [ { \"match\": {}, \"options\": {} } ] }",
        "test.jsonc:1:32: error: expected an object with at least one of \"path\", \"name\", \"build-id\" and \"interpreter\", found an empty object")]
    [InlineData("{ \"applications\": [ { \"match\": { \"path\": \"bin/a\" }, \"options\": {} } ] }",
        "test.jsonc:1:42: error: expected an absolute path, or a pattern over one, or an array of them, found \"bin/a\"")]
    [InlineData("{ \"applications\": [ { \"match\": { \"path\": [ \"/a\",\n\"b\" ] }, \"options\": {} } ] }",
        "test.jsonc:2:1: error: expected an absolute path, or a pattern over one, found \"b\"")]
    [InlineData("{ \"applications\": [ { \"match\": { \"name\": [] }, \"options\": {} } ] }",
        "test.jsonc:1:42: error: expected a file name without /, or a pattern over one, or an array of them, found an empty array")]
    [InlineData("{ \"applications\": [ { \"match\": { \"build-id\": \"abc\" }, \"options\": {} } ] }",
        "test.jsonc:1:46: error: expected a build-id: an even number of hexadecimal digits, or an array of them, found \"abc\"")]
    [InlineData("{ \"defaults\": { \"root\": \"/a\\u0000b\" } }", "test.jsonc:1:25: error: expected an absolute path, or null, found \"/a\\u0000b\"")]
    public void A_mistake_names_line_column_and_what_was_expected(string text, string expected)
        => Assert.Equal(expected, Assert.Single(Scratch.Parse(text).Problems));

    [Fact]
    public void An_unknown_option_lists_the_known_ones()
    {
        string problem = Assert.Single(Scratch.Parse("{ \"defaults\": { \"adr-limit-3gb\": true } }").Problems);
        Assert.StartsWith("test.jsonc:1:17: error: expected one of \"environment\", \"root\", ", problem, StringComparison.Ordinal);
        Assert.EndsWith("found \"adr-limit-3gb\"; did you mean \"addr-limit-3gb\"?", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void All_mistakes_are_reported_in_their_order()
    {
        string[] problems = Scratch.Parse("{ \"defaults\": { \"strace\": 1, \"linux32\": 2,\n \"ioctl\": 3 }, \"applications\": {} }").Problems;
        Assert.Equal(
            ["test.jsonc:1:27: error: expected true or false, found 1", "test.jsonc:1:41: error: expected true or false, found 2",
                "test.jsonc:2:11: error: expected an object of ioctl requests, found 3", "test.jsonc:2:32: error: expected an array of applications, found an object"],
            problems);
    }

    /// <summary>The pattern of sizes admits exactly what can be compiled.</summary>
    [Fact]
    public void Sizes_that_are_valid_are_those_that_compile()
    {
        Regex pattern = new(Regex.Match(SchemaGenerator.Generate(), "(?<=\"pattern\": \")\\^\\(102.*(?=\")").Value);
        foreach (char unit in "KMG")
        {
            for (int number = 0; number < 1_060_000; number += unit == 'K' && number is > 3000 and < 1_040_000 ? 997 : unit != 'K' && number > 2000 ? 50_000 : 1)
            {
                string text = number.ToString(System.Globalization.CultureInfo.InvariantCulture) + unit;
                Assert.True(pattern.IsMatch(text) == Sizes.TryParse(System.Text.Encoding.ASCII.GetBytes(text), out _), text);
            }
        }
    }

    [Fact]
    public void The_examples_of_all_options_are_valid()
    {
        foreach (OptionInfo option in OptionInfo.All.Where(o => (o.Scope & OptionScope.File) != 0))
        {
            (IReadOnlyList<EntryTexts> entries, string[] problems) = Scratch.Parse($"{{ \"defaults\": {{ \"{option.Name}\": {option.Example} }} }}");
            Assert.Empty(problems);
            Assert.All(Assert.Single(entries).Settings, s => Assert.Equal(option.Id, s.Option));
        }
    }

    [Fact]
    public void The_shipped_schema_is_the_one_that_validates()
        => Assert.Equal(SchemaGenerator.Generate(), File.ReadAllText(Path.Combine(Scratch.Root, "packaging/config/lodge.schema.json")));

    [Fact]
    public void The_shipped_default_file_is_up_to_date_and_sets_nothing()
    {
        string text = File.ReadAllText(Path.Combine(Scratch.Root, "packaging/config/lodge.jsonc"));
        Assert.Equal(Documents.DefaultFile(), text);
        (IReadOnlyList<EntryTexts> entries, string[] problems) = Scratch.Parse(text);
        Assert.Empty(problems);
        Assert.Empty(Assert.Single(entries).Settings);
    }

    [Fact]
    public void The_shipped_default_file_is_valid_with_every_example_switched_on()
    {
        string text = File.ReadAllText(Path.Combine(Scratch.Root, "packaging/config/lodge.jsonc"));
        text = Regex.Replace(text, "(?m)^    // (?=\"[a-z0-9-]+\": |[{]$|  \"|[}])", "    ");
        (IReadOnlyList<EntryTexts> entries, string[] problems) = Scratch.Parse(text);
        Assert.Empty(problems);
        Assert.Equal(OptionInfo.All.Count, entries[0].Settings.Select(s => s.Option).Distinct().Count());
        Assert.Equal(2, entries.Count);
    }

    [Fact]
    public void The_list_in_the_documentation_is_up_to_date()
    {
        string text = File.ReadAllText(Path.Combine(Scratch.Root, "docs/configuration.md"));
        Assert.Equal(Documents.Replace(text), text);
    }

    [Fact]
    public void A_schema_keyword_that_is_not_implemented_is_no_silent_pass()
    {
        using SchemaValidator validator = new("{ \"type\": \"object\", \"maximum\": 3 }");
        JsoncNode node = JsoncReader.Read("f", "{}"u8, [])!;
        Assert.Throws<NotSupportedException>(() => validator.Validate("f", node, []));
    }
}
