namespace Lodge.Shim;

/// <summary>execve and execveat (fs/exec.c).</summary>
public static unsafe partial class Syscalls<TAbi>
{
    private const int AtFdCwd = -100;

    /// <summary>execve.</summary>
    public static int sys_execve(GuestThread* t) => Exec.Execute(t, AtFdCwd, TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), 0);

    /// <summary>execveat.</summary>
    public static int sys_execveat(GuestThread* t) =>
        Exec.Execute(t, (int)TAbi.Arg(t, 0), TAbi.Arg(t, 1), TAbi.Arg(t, 2), TAbi.Arg(t, 3), TAbi.Arg(t, 4));
}
