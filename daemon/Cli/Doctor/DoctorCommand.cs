using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;

namespace Lodge.Cli.Doctor;

/// <summary><c>lodge doctor</c>: what this machine has, lacks, and what to do about it.</summary>
internal static class DoctorCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        Command command = new("doctor",
            "Check the kernel's settings, limits and Lodge's parts, and say what to do. Status 1 when guests cannot run.");
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        Output output = Output.For(parsed);
        Finding[] findings = [.. LodgeChecks.All(), .. new KernelChecks(Read).All()];
        if (output.Json)
        {
            output.Write(new JsonArray([.. findings.Select(finding => new JsonObject
            {
                ["subject"] = finding.Subject,
                ["severity"] = Word(finding.Severity),
                ["found"] = finding.Found,
                ["advice"] = finding.Advice.Length == 0 ? null : finding.Advice,
            })]));
        }
        else
        {
            TextTable table = new("", "SUBJECT", "FOUND");
            foreach (Finding finding in findings)
            {
                table.Add(Word(finding.Severity), finding.Subject, finding.Found);
            }

            output.Write(table);
            foreach (Finding finding in findings.Where(finding => finding.Advice.Length > 0).OrderByDescending(finding => finding.Severity))
            {
                output.Line($"{(finding.Severity == Severity.Note ? "note" : "to do")}: {finding.Subject}: {finding.Advice}");
            }
        }

        return findings.Any(finding => finding.Severity == Severity.Problem) ? ExitCode.Negative : ExitCode.Success;
    }

    private static string Word(Severity severity) => severity switch
    {
        Severity.Ok => "ok",
        Severity.Note => "note",
        Severity.Warning => "warning",
        _ => "PROBLEM",
    };

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
