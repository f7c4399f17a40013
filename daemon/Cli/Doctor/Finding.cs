namespace Lodge.Cli.Doctor;

/// <summary>How bad a finding is.</summary>
internal enum Severity
{
    /// <summary>As it should be.</summary>
    Ok,
    /// <summary>Good to know; nothing to do.</summary>
    Note,
    /// <summary>Something does not work, or not for everybody.</summary>
    Warning,
    /// <summary>Guests cannot run.</summary>
    Problem,
}

/// <summary>One line of the diagnosis.</summary>
/// <param name="Subject">What was looked at: a sysctl, a limit, a part of Lodge.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Found">What was found.</param>
/// <param name="Advice">What to do; empty when there is nothing to do.</param>
internal sealed record Finding(string Subject, Severity Severity, string Found, string Advice = "");
