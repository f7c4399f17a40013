using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Lodge.DecoderTests;

/// <summary>Runs hardware/probe.c, which asks this machine's CPU (in 32-bit mode) about encodings.</summary>
internal static class HardwareProbe
{
    /// <summary>What the CPU says: is it #UD, and how many bytes did it take (0: more than 15)?</summary>
    public readonly record struct Answer(bool Undefined, int Length);

    /// <summary>Builds the probe.</summary>
    /// <returns>Its path, or null with a reason when this machine has no i386 compiler or does not run i386 programs.</returns>
    public static string? Build(string directory, out string reason)
    {
        string source = Path.Combine(AppContext.BaseDirectory, "probe.c"), program = Path.Combine(directory, "probe");
        try
        {
            using Process gcc = Process.Start(new ProcessStartInfo("i686-linux-gnu-gcc", ["-O1", "-static", "-fno-pie", "-no-pie", "-fno-stack-protector", "-o", program, source])
            {
                RedirectStandardError = true,
            })!;
            string errors = gcc.StandardError.ReadToEnd();
            gcc.WaitForExit();
            if (gcc.ExitCode != 0)
            {
                throw new InvalidOperationException(errors);
            }
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            reason = $"i686-linux-gnu-gcc: {e.Message}";
            return null;
        }
        try
        {
            reason = "";
            return Ask(program, new byte[16] { 1, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })[0] == new Answer(false, 1) ? program : null;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            reason = $"i386 programs do not run here: {e.Message}";
            return null;
        }
    }

    /// <summary>Asks about records of 16 bytes: expected length, 15 bytes of code.</summary>
    public static Answer[] Ask(string program, ReadOnlyMemory<byte> records)
    {
        using Process probe = Process.Start(new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Task writer = Task.Run(() =>
        {
            probe.StandardInput.BaseStream.Write(records.Span);
            probe.StandardInput.Close();
        });
        var raw = new byte[records.Length / 8];
        probe.StandardOutput.BaseStream.ReadExactly(raw);
        writer.Wait();
        probe.WaitForExit();
        var answers = new Answer[raw.Length / 2];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = new Answer(raw[2 * i] == 1, raw[(2 * i) + 1]);
        }
        return answers;
    }
}
