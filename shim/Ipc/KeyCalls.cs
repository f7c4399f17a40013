using HostLayout = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>
/// keyctl. Key numbers, names and payloads are the same; a vector of buffers and the parameters of a key derivation hold pointers
/// (security/keys/compat.c).
/// </summary>
public static unsafe partial class Syscalls<TAbi>
    where TAbi : unmanaged, IGuestAbi
{
    private const uint KeyctlDescribe = 6;
    private const uint KeyctlRead = 11;
    private const uint KeyctlGetSecurity = 17;
    private const uint KeyctlInstantiateIov = 20;
    private const uint KeyctlDhCompute = 23;
    private const uint KeyctlPkeyQuery = 24;
    private const uint KeyctlPkeyEncrypt = 25;
    private const uint KeyctlPkeyDecrypt = 26;
    private const uint KeyctlPkeySign = 27;
    private const uint KeyctlCapabilities = 31;

    /// <summary>keyctl: EOPNOTSUPP for an unknown operation, by the host kernel.</summary>
    public static int sys_keyctl(GuestThread* t)
    {
        const uint PkeyQuerySize = 64;
        const uint PkeyOutLength = 8;
        uint operation = TAbi.Arg(t, 0);
        uint a = TAbi.Arg(t, 1);
        uint b = TAbi.Arg(t, 2);
        uint c = TAbi.Arg(t, 3);
        uint d = TAbi.Arg(t, 4);
        switch (operation)
        {
            case KeyctlDescribe:
            case KeyctlRead:
            case KeyctlGetSecurity:
                Mm.PrepareWrite(t, b, c);
                break;
            case KeyctlCapabilities:
                Mm.PrepareWrite(t, a, b);
                break;
            case KeyctlPkeyQuery:
                Mm.PrepareWrite(t, d, PkeyQuerySize);
                break;
            case KeyctlPkeyEncrypt:
            case KeyctlPkeyDecrypt:
            case KeyctlPkeySign:
                if (User.Get(a + PkeyOutLength, out uint length))
                {
                    Mm.PrepareWrite(t, d, length);
                }

                break;
            case KeyctlInstantiateIov:
                return InstantiateFromVector(a, b, c, d);
            case KeyctlDhCompute:
                Mm.PrepareWrite(t, b, c);
                return DhCompute(a, b, c, d);
        }

        return (int)Host.BlockingCall(t, Nr.keyctl, operation, a, b, c, d);
    }

    private static int InstantiateFromVector(uint key, uint vector, uint count, uint keyring)
    {
        if (vector == 0)
        {
            count = 0;
        }

        if (count == 0 || count > Messages.MaxVector)
        {
            return (int)Host.Syscall(Nr.keyctl, KeyctlInstantiateIov, key, vector, count, keyring);
        }

        HostBuffer buffer = default;
        if (!buffer.Allocate((nuint)count * (nuint)(sizeof(HostLayout.iovec) + 8)))
        {
            return -Errno.ENOMEM;
        }

        HostLayout.iovec* wide = (HostLayout.iovec*)buffer.Pointer;
        int* narrow = (int*)(wide + count);
        long pointer = BadPointer.Value;
        if (User.CopyIn(narrow, vector, (nuint)count * 8))
        {
            for (uint i = 0; i < count; i++)
            {
                wide[i].iov_base = (uint)narrow[i * 2];
                wide[i].iov_len = (ulong)narrow[(i * 2) + 1];
            }

            pointer = (long)wide;
        }

        int result = (int)Host.Syscall(Nr.keyctl, KeyctlInstantiateIov, key, pointer, count, keyring);
        buffer.Free();
        return result;
    }

    private static int DhCompute(uint parameters, uint buffer, uint length, uint derivation)
    {
        const int KdfWords = 11;
        HostLayout.keyctl_kdf_params host = default;
        if (derivation == 0)
        {
            return (int)Host.Syscall(Nr.keyctl, KeyctlDhCompute, parameters, buffer, length, 0);
        }

        uint* words = stackalloc uint[KdfWords];
        if (!User.CopyIn(words, derivation, KdfWords * 4))
        {
            return -Errno.EFAULT;
        }

        host.hashname = words[0];
        host.otherinfo = words[1];
        host.otherinfolen = words[2];
        for (int i = 0; i < 8; i++)
        {
            host.__spare[i] = words[3 + i];
        }

        return (int)Host.Syscall(Nr.keyctl, KeyctlDhCompute, parameters, buffer, length, (long)&host);
    }
}
