namespace Lodge.Shim;

/// <summary>
/// What the host kernel puts on the initial stack: arguments, environment and auxiliary vector. Pointers stay valid for the life of the
/// process. Filled once at start; read-only afterwards.
/// </summary>
public unsafe struct StartInfo
{
    /// <summary>Number of arguments.</summary>
    public int Argc;
    /// <summary>Arguments, null-terminated.</summary>
    public byte** Argv;
    /// <summary>Environment, null-terminated.</summary>
    public byte** Envp;
    /// <summary>Auxiliary vector: pairs of type and value, ended by type 0.</summary>
    public ulong* Auxv;

    private const ulong AtExecFd = 2, AtFlags = 8, AtSecure = 23;

    // AT_FLAGS_PRESERVE_ARGV0: binfmt_misc started us with the P flag (include/uapi/linux/binfmts.h).
    private const ulong PreserveArgv0 = 1;

    /// <summary>Reads the initial stack: argc, argv[], 0, envp[], 0, auxv[].</summary>
    public StartInfo(ulong* stack)
    {
        Argc = (int)stack[0];
        Argv = (byte**)(stack + 1);
        Envp = Argv + Argc + 1;
        byte** end = Envp;
        while (*end != null)
        {
            end++;
        }

        Auxv = (ulong*)(end + 1);
    }

    /// <summary>True when binfmt_misc started us: argv is our path, the program's path, the program's own argv[0], its arguments.</summary>
    public readonly bool FromBinfmt => TryAux(AtFlags, out ulong flags) && (flags & PreserveArgv0) != 0;

    /// <summary>The program's descriptor when binfmt_misc opened it (O or C flag), else -1.</summary>
    public readonly int ExecFd => TryAux(AtExecFd, out ulong fd) ? (int)fd : -1;

    /// <summary>
    /// True when the kernel says that this program has privileges that its caller has not (set-uid, set-gid, file capabilities). Then
    /// nothing of the caller's is trusted: no environment variable, no configuration, no service.
    /// </summary>
    public readonly bool IsSecure => TryAux(AtSecure, out ulong secure) && secure != 0;

    /// <summary>Looks a variable of ours up in the environment, which is not trusted when <see cref="IsSecure"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Its value, or null.</returns>
    public readonly byte* Environment(System.ReadOnlySpan<byte> name)
    {
        if (IsSecure)
        {
            return null;
        }

        for (byte** entry = Envp; *entry != null; entry++)
        {
            int i = 0;
            while (i < name.Length && (*entry)[i] == name[i])
            {
                i++;
            }

            if (i == name.Length && (*entry)[i] == '=')
            {
                return *entry + i + 1;
            }
        }

        return null;
    }

    /// <summary>Looks an auxiliary vector entry up (AT_* of include/uapi/linux/auxvec.h).</summary>
    public readonly bool TryAux(ulong type, out ulong value)
    {
        for (ulong* entry = Auxv; entry[0] != 0; entry += 2)
        {
            if (entry[0] == type)
            {
                value = entry[1];
                return true;
            }
        }

        value = 0;
        return false;
    }
}
