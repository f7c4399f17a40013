using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Lodge.Config;
using Lodge.Protocol;
using Xunit;

namespace Lodge.ConfigTests;

/// <summary>What the shim reads of a compiled file is what the library says about the texts.</summary>
public sealed unsafe class CompiledTests
{
    [Fact]
    public void Shim_and_library_agree_about_random_configurations()
    {
        int matched = 0;
        for (int seed = 0; seed < 3000; seed++)
        {
            RandomConfiguration random = new(new Random(seed));
            ProgramDescription program = random.Program();
            EffectiveConfiguration effective = new();
            List<byte[]> files = [];
            for (int layer = 0; layer < 2; layer++)
            {
                (IReadOnlyList<EntryTexts> entries, string[] problems) = Scratch.Parse(random.File());
                Assert.Empty(problems);
                matched += effective.Apply(entries, program);
                files.Add(ConfigurationCompiler.ToBytes(entries, [])!);
            }

            Dictionary<string, string> variables = random.Variables();
            List<string> notUnderstood = [];
            effective.ApplyVariables(variables, notUnderstood);
            Assert.Empty(notUnderstood);

            (ConfigurationFault fault, SortedDictionary<string, string> options) = ShimSide.Decode(program, files, variables);
            Assert.True(fault == ConfigurationFault.None, RandomConfiguration.Seed(seed));
            SortedDictionary<string, string> expected = ShimSide.Normal(effective.Values);
            Assert.True(expected.SequenceEqual(options),
                RandomConfiguration.Seed(seed) + "\n" + string.Join('\n', expected.Except(options)) + "\nshim:\n" + string.Join('\n', options.Except(expected)));
        }

        Assert.True(matched > 2000, "hardly anything matched");
    }

    [Fact]
    public void The_same_texts_give_the_same_bytes()
    {
        string text = new RandomConfiguration(new Random(1)).File();
        Assert.Equal(ConfigurationCompiler.ToBytes(Scratch.Parse(text).Entries, []), ConfigurationCompiler.ToBytes(Scratch.Parse(text).Entries, []));
    }

    [Fact]
    public void No_files_give_a_valid_file_without_effect()
    {
        byte[] bytes = ConfigurationCompiler.Compile(Array.Empty<string>()).Bytes!;
        ProgramDescription program = new("/bin/a", "/bin/a", null, null);
        (ConfigurationFault fault, SortedDictionary<string, string> options) = ShimSide.Decode(program, [bytes]);
        Assert.Equal(ConfigurationFault.None, fault);
        Assert.All(options.Keys, k => Assert.StartsWith("environment.", k, StringComparison.Ordinal));
    }

    [Fact]
    public void Many_applications_are_found_each_by_its_own_key()
    {
        string applications = string.Join(',', Enumerable.Range(0, 3000).Select(i =>
            $"{{ \"match\": {{ \"path\": \"/opt/{i}\" }}, \"options\": {{ \"environment\": {{ \"N\": \"{i}\" }} }} }}"));
        byte[] bytes = ConfigurationCompiler.ToBytes(Scratch.Parse($"{{ \"applications\": [{applications}] }}").Entries, [])!;
        foreach (int i in new[] { 0, 1, 1499, 2999 })
        {
            (_, SortedDictionary<string, string> options) = ShimSide.Decode(new ProgramDescription("x", $"/opt/{i}", null, null), [bytes]);
            Assert.Equal(i.ToString(System.Globalization.CultureInfo.InvariantCulture), options["environment.N"]);
        }

        (_, SortedDictionary<string, string> none) = ShimSide.Decode(new ProgramDescription("x", "/opt/3000", null, null), [bytes]);
        Assert.DoesNotContain("environment.N", none.Keys);
    }

    [Fact]
    public void Too_many_applications_are_refused_with_a_place()
    {
        IEnumerable<EntryTexts> entries = Enumerable.Range(0, 5000).Select(i => new EntryTexts([], [], new Origin("big.jsonc", new Position(i + 1, 1))));
        List<Diagnostic> diagnostics = [];
        Assert.Null(ConfigurationCompiler.ToBytes([.. entries], diagnostics));
        Assert.Equal("big.jsonc:4097:1: error: expected at most 4096 applications in all files, found 5000", Assert.Single(diagnostics).ToString());
    }

    [Fact]
    public void Patterns_match_like_regular_expressions()
    {
        // Few characters, so that much matches.
        Gen<string> pattern = Gen.Elements("*", "**", "?", "a", "b", "/", "[ab]", "[!a]", "[a-c]", "[!ü]", "[z-ü]", "ü", "?", "\\*", "[", "]", "\\").ListOf().Select(l => string.Concat(l));
        Gen<string> text = Gen.Elements("a", "b", "c", "ü", "/", "*", "[", "]", "\\").ListOf().Select(l => string.Concat(l));
        FsCheck.Config config = FsCheck.Config.QuickThrowOnFailure.WithMaxTest(4000).WithEndSize(12);
        Prop.ForAll(pattern.ToArbitrary(), text.ToArbitrary(), (p, t) => Matches(p, t) == EffectiveConfiguration.Matches(p, t)).Check(config);
    }

    [Theory]
    [InlineData("/usr/*/a", "/usr/bin/a", true)]
    [InlineData("/usr/*/a", "/usr/local/bin/a", false)]
    [InlineData("/usr/**/a", "/usr/local/bin/a", true)]
    [InlineData("/usr/**a", "/usr/a", true)]
    [InlineData("/usr/*", "/usr/", true)]
    [InlineData("/usr/?", "/usr//", false)]
    [InlineData("**/lib*.so", "/x/y/liba.so", true)]
    [InlineData("/a[!/]b", "/a/b", false)]
    [InlineData("/a\\*", "/a*", true)]
    [InlineData("/a\\*", "/ab", false)]
    public void Patterns(string pattern, string text, bool matches)
    {
        Assert.Equal(matches, Matches(pattern, text));
        Assert.Equal(matches, EffectiveConfiguration.Matches(pattern, text));
    }

    [Fact]
    public void A_pattern_made_to_take_long_does_not()
    {
        string pattern = string.Concat(Enumerable.Repeat("**a*", 100)) + "b";
        System.Diagnostics.Stopwatch watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.False(Matches(pattern, new string('a', 4000)));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), watch.Elapsed.ToString());
    }

    [Fact]
    public void Any_environment_survives_its_variable()
    {
        Gen<string> text = Gen.Elements("a", "=", ",", "\\", "-", " ", "ü", "*").ListOf().Select(l => string.Concat(l));
        Prop.ForAll(text.ToArbitrary(), value =>
        {
            SettingText[] settings = [new(OptionId.Environment, "N", value, Origin.BuiltIn), new(OptionId.Environment, "M", null, Origin.BuiltIn)];
            bool understood = EnvironmentText.TryDecode(OptionInfo.Of(OptionId.Environment), EnvironmentText.Encode(settings), Origin.BuiltIn, out IReadOnlyList<SettingText> read);
            return understood && read.SequenceEqual(settings);
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData("LODGE_STRACE", "maybe")]
    [InlineData("LODGE_CPU_LEVEL", "")]
    [InlineData("LODGE_CPU_LEVEL", "x86-64-v9")]
    [InlineData("LODGE_CPU", "avx=perhaps")]
    [InlineData("LODGE_CPU", "nosuch")]
    [InlineData("LODGE_IOCTL", "5401=pass")]
    [InlineData("LODGE_IOCTL", "0x123456789=pass")]
    [InlineData("LODGE_IOCTL", "0x5401")]
    [InlineData("LODGE_WORKAROUNDS", "magic")]
    [InlineData("LODGE_CODE_CACHE", "64")]
    [InlineData("LODGE_CODE_CACHE", "1023K")]
    [InlineData("LODGE_CODE_CACHE", "1025M")]
    [InlineData("LODGE_CODE_CACHE", "9999999G")]
    [InlineData("LODGE_CODE_CACHE", "x4M")]
    [InlineData("LODGE_ENVIRONMENT", "A")]
    [InlineData("LODGE_ENVIRONMENT", "-")]
    [InlineData("LODGE_ENVIRONMENT", "=x")]
    public void A_value_that_is_not_understood_is_reported(string name, string value)
    {
        List<string> notUnderstood = [];
        EffectiveConfiguration effective = new();
        effective.ApplyVariables([KeyValuePair.Create(name, value)], notUnderstood);
        Assert.Equal([$"{name}={value}"], notUnderstood);
        Assert.Empty(effective.Values);
    }

    [Fact]
    public void Hiding_a_feature_hides_what_builds_on_it()
    {
        ulong hidden = CpuFeatures.Hidden(0, 0, 1ul << (int)CpuFeature.Sse2);
        foreach (CpuFeature feature in new[] { CpuFeature.Sse2, CpuFeature.Pni, CpuFeature.Sse42, CpuFeature.Xsave, CpuFeature.Avx2, CpuFeature.Fma, CpuFeature.Aes })
        {
            Assert.True((hidden >> (int)feature & 1) != 0, feature.ToString());
        }

        foreach (CpuFeature feature in new[] { CpuFeature.Sse, CpuFeature.Mmx, CpuFeature.Cmov, CpuFeature.Popcnt, CpuFeature.Bmi1 })
        {
            Assert.True((hidden >> (int)feature & 1) == 0, feature.ToString());
        }
    }

    [Fact]
    public void Levels_grow_and_a_shown_feature_stands_out()
    {
        ulong before = ulong.MaxValue;
        for (int level = 1; level < OptionInfo.Of(OptionId.CpuLevel).Tokens.Count; level++)
        {
            ulong hidden = CpuFeatures.Hidden(level, 0, 0);
            Assert.True((hidden & ~before) == 0 && hidden != before, OptionInfo.Of(OptionId.CpuLevel).Tokens[level]);
            before = hidden;
        }

        Assert.Equal(0ul, CpuFeatures.Hidden(0, 0, 0));
        Assert.Equal(0ul, CpuFeatures.Hidden(2, 1ul << (int)CpuFeature.Popcnt, 0) >> (int)CpuFeature.Popcnt & 1);
        Assert.Equal(1ul, CpuFeatures.Hidden(2, 1ul << (int)CpuFeature.Avx, 0) >> (int)CpuFeature.Avx & 1);
    }

    private static bool Matches(string pattern, string text)
    {
        byte[] p = Encoding.UTF8.GetBytes(pattern + "\0");
        byte[] t = Encoding.UTF8.GetBytes(text + "\0");
        fixed (byte* pp = p, tt = t)
        {
            return Glob.Matches(pp, p.Length - 1, tt, t.Length - 1);
        }
    }
}
