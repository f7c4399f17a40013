namespace Lodge.Shim;

/// <summary>A script named on the shim's own command line: what the kernel would do before it called us.</summary>
public static unsafe class ScriptStart
{
    /// <summary>
    /// Replaces a script by its interpreter and puts what the interpreter is called with in front of the arguments, as often as
    /// interpreters are scripts themselves. Anything else stays as it is.
    /// </summary>
    /// <param name="request">Fd, Path, Argv and Argc are set; the first three may change. The memory behind them is never given back.</param>
    /// <returns>0 or -errno: what opening an interpreter gave, ENOEXEC, ELOOP, ENOMEM.</returns>
    public static int Resolve(ref ExecRequest request)
    {
        const int Room = (Script.MaxDepth * 2) + 1;
        byte* memory = null;
        byte* head = stackalloc byte[2];
        for (int depth = 0; ; depth++)
        {
            if (Host.Syscall(Nr.pread64, request.Fd, (long)head, 2, 0) != 2 || head[0] != '#' || head[1] != '!')
            {
                return 0;
            }

            if (depth == Script.MaxDepth)
            {
                return -Errno.ELOOP;
            }

            if (memory == null)
            {
                memory = (byte*)HostMemory.Map((((ulong)request.Argc + Room + 1) * 8) + (Script.MaxDepth * Script.HeadSize));
                if (memory == null)
                {
                    return -Errno.ENOMEM;
                }

                // The script's name takes the place of the program's; the words before it come as interpreters do.
                byte** vector = (byte**)(memory + (Script.MaxDepth * Script.HeadSize)) + Room;
                for (int i = 1; i <= request.Argc; i++)
                {
                    vector[i] = request.Argv[i];
                }

                vector[0] = request.Path;
                request.Argv = vector;
                request.Argc = request.Argc == 0 ? 1 : request.Argc;
            }

            byte* copy = memory + (depth * Script.HeadSize);
            Host.Syscall(Nr.pread64, request.Fd, (long)copy, Script.HeadSize, 0);
            if (!Script.Parse(copy, out Script script))
            {
                return -Errno.ENOEXEC;
            }

            if (script.Argument != null)
            {
                request.Argv--;
                request.Argv[0] = script.Argument;
                request.Argc++;
            }

            request.Argv--;
            request.Argv[0] = script.Interpreter;
            request.Argc++;
            ExecTarget target;
            int error = ExecTarget.Open(&target, -100, script.Interpreter, false);
            if (error != 0)
            {
                return error;
            }

            Host.Syscall(Nr.close, request.Fd);
            request.Fd = target.Fd;
        }
    }
}
