namespace Lodge.Shim;

/// <summary>
/// Floating-point state in i386 signal frames (arch/x86/kernel/fpu/signal.c): the 112-byte FSAVE image, then the FXSAVE/XSAVE area
/// with the software bytes that announce its size. The guest sees x87, SSE and AVX, whatever else the host's frames hold.
/// </summary>
internal static unsafe class I386FpState
{
    /// <summary>Bytes of the FSAVE image that precedes the XSAVE area (struct fregs_state).</summary>
    internal const uint LegacySize = 112;

    private const uint Magic1 = 0x46505853, Magic2 = 0x46505845;
    private const int Mxcsr = 24, MxcsrMask = 28, Registers = 32, Xmm = 160, SoftwareBytes = 464, Header = 512, Ymm = 576;
    private const uint Sse = 3;
    private const uint DefaultMxcsr = 0x1f80;

    /// <summary>Bytes from the XSAVE area's start to the end of the frame's floating-point part.</summary>
    internal static uint AreaSize(ThreadGroup* group) => group->XstateSize + (group->XstateFeatures != 0 ? 4u : 0);

    /// <summary>Writes the state below <paramref name="address"/> + 112, where the XSAVE area starts (64-byte aligned). False = EFAULT.</summary>
    internal static bool Save(GuestThread* t, uint address)
    {
        ThreadGroup* group = t->Group;
        uint size = group->XstateSize;
        byte* area = ThreadSignals.Xstate(&t->Signals);
        Capture(t, area);

        uint* legacy = stackalloc uint[(int)LegacySize / 4];
        ToLegacy(legacy, area, t->I386.cs, t->I386.ds);

        uint* software = (uint*)(area + SoftwareBytes);
        for (int i = 0; i < 12; i++)
        {
            software[i] = 0;
        }

        software[0] = Magic1;
        software[1] = AreaSize(group) + LegacySize;
        software[2] = group->XstateFeatures;
        software[4] = size;
        if (group->XstateFeatures != 0)
        {
            *(ulong*)(area + Header) |= Sse;
            *(uint*)(area + size) = Magic2;
        }

        return User.CopyOut(address, legacy, LegacySize) && User.CopyOut(address + LegacySize, area, AreaSize(group));
    }

    /// <summary>Takes the state of the thread as it is, in XSAVE form: the CPU's, and what the exit has put into the frame.</summary>
    internal static void Capture(GuestThread* t, byte* area)
    {
        for (uint i = 0; i < 64 / 8; i++)
        {
            ((ulong*)(area + Header))[i] = 0;
        }

        ThreadStubs.SaveExtended(area, t->Group->XstateFeatures);
        for (int i = 0; i < 128 / 8; i++)
        {
            ((ulong*)(area + Xmm))[i] = ((ulong*)t->I386.xmm)[i];
            ((ulong*)(area + Xmm + 128))[i] = 0;
        }

        *(uint*)(area + Mxcsr) = t->I386.mxcsr;
        for (int i = 416; i < SoftwareBytes; i += 8)
        {
            *(ulong*)(area + i) = 0;
        }

        if ((t->Group->XstateFeatures & 4) != 0)
        {
            for (int i = 0; i < 128 / 8; i++)
            {
                ((ulong*)(area + Ymm + 128))[i] = 0;
            }
        }

        // Instruction and data pointers in the code cache say nothing to the guest.
        if (*(uint*)(area + 12) != 0)
        {
            *(ulong*)(area + 8) = 0;
        }

        *(uint*)(area + 20) = 0;
    }

    /// <summary>The state a handler starts with (and exec): FNINIT, MXCSR 1F80h, vectors zero.</summary>
    internal static void Reset(GuestThread* t)
    {
        byte* area = ThreadSignals.Xstate(&t->Signals);
        for (int i = 0; i < Ymm / 8; i++)
        {
            ((ulong*)area)[i] = 0;
        }

        *(ushort*)area = 0x37f;
        *(uint*)(area + Mxcsr) = DefaultMxcsr;
        Load(t, area);
    }

    /// <summary>
    /// Takes the state from a frame. A null pointer resets; anything the CPU would refuse, or that lies outside guest
    /// memory, gives false (the kernel's "bad frame").
    /// </summary>
    internal static bool Restore(GuestThread* t, uint address)
    {
        if (address == 0)
        {
            Reset(t);
            return true;
        }

        ThreadGroup* group = t->Group;
        byte* area = ThreadSignals.Xstate(&t->Signals);
        uint* legacy = stackalloc uint[(int)LegacySize / 4];
        if (!User.CopyIn(legacy, address, LegacySize) || !User.CopyIn(area, address + LegacySize, 512))
        {
            return false;
        }

        ulong features = Sse;
        uint size = 512;
        uint* software = (uint*)(area + SoftwareBytes);
        if (group->XstateFeatures != 0 && software[0] == Magic1 && software[4] >= Ymm && software[4] <= group->XstateSize &&
            software[4] <= software[1])
        {
            if (!User.Get(address + LegacySize + software[4], out uint magic))
            {
                return false;
            }

            if (magic == Magic2)
            {
                size = software[4];
                features = software[2] | ((ulong)software[3] << 32);
            }
        }

        for (uint i = 512; i < group->XstateSize; i += 8)
        {
            *(ulong*)(area + i) = 0;
        }

        if (size > 512)
        {
            if (!User.CopyIn(area + 512, address + LegacySize + 512, size - 512) || !HeaderIsValid(area, group->XstateFeatures))
            {
                return false;
            }

            *(ulong*)(area + Header) &= features;
        }
        else
        {
            *(ulong*)(area + Header) = Sse;
        }

        if ((*(uint*)(area + Mxcsr) & ~HostMxcsrMask(t)) != 0)
        {
            return false;
        }

        FromLegacy(area, legacy);
        Load(t, area);
        return true;
    }

    private static bool HeaderIsValid(byte* area, uint features)
    {
        ulong* header = (ulong*)(area + Header);
        if ((header[0] & ~(ulong)features) != 0)
        {
            return false;
        }

        for (int i = 1; i < 8; i++)
        {
            if (header[i] != 0)
            {
                return false;
            }
        }

        return true;
    }

    // The mask that FXSAVE reports; 0 stands for FFBFh on CPUs without DAZ, which no x86-64 CPU is.
    private static uint HostMxcsrMask(GuestThread* t)
    {
        byte* probe = stackalloc byte[1088 + 64];
        probe = (byte*)(((nuint)probe + 63) & ~(nuint)63);
        *(uint*)(probe + MxcsrMask) = 0;
        ThreadStubs.SaveExtended(probe, 0);
        uint mask = *(uint*)(probe + MxcsrMask);
        return mask != 0 ? mask : 0xffff;
    }

    /// <summary>Puts an area into the CPU and the frame's part into the frame.</summary>
    private static void Load(GuestThread* t, byte* area)
    {
        ulong present = t->Group->XstateFeatures != 0 ? *(ulong*)(area + Header) : Sse;
        bool sse = (present & 2) != 0;
        for (int i = 0; i < 128 / 8; i++)
        {
            ((ulong*)t->I386.xmm)[i] = sse ? ((ulong*)(area + Xmm))[i] : 0;
        }

        t->I386.mxcsr = *(uint*)(area + Mxcsr);
        ThreadStubs.RestoreExtended(area, t->Group->XstateFeatures);
    }

    /// <summary>convert_from_fxsr: the FSAVE image of an FXSAVE area.</summary>
    internal static void ToLegacy(uint* legacy, byte* area, uint cs, uint ds)
    {
        ushort status = *(ushort*)(area + 2);
        legacy[0] = *(ushort*)area | 0xffff0000u;
        legacy[1] = status | 0xffff0000u;
        legacy[2] = LegacyTags(area);
        legacy[3] = *(uint*)(area + 8);
        legacy[4] = cs;
        legacy[5] = *(uint*)(area + 16);
        legacy[6] = ds | 0xffff0000u;
        byte* to = (byte*)(legacy + 7);
        for (int i = 0; i < 8; i++)
        {
            for (int b = 0; b < 10; b++)
            {
                to[(i * 10) + b] = area[Registers + (i * 16) + b];
            }
        }

        // status and magic 0: an FXSAVE area follows.
        legacy[27] = status;
    }

    /// <summary>convert_to_fxsr: what the FSAVE image says about x87 wins over the FXSAVE area.</summary>
    internal static void FromLegacy(byte* area, uint* legacy)
    {
        *(ushort*)area = (ushort)legacy[0];
        *(ushort*)(area + 2) = (ushort)legacy[1];
        uint tags = 0;
        for (int i = 0; i < 8; i++)
        {
            tags |= ((legacy[2] >> (2 * i)) & 3) != 3 ? 1u << i : 0;
        }

        *(ushort*)(area + 4) = (ushort)tags;
        *(ushort*)(area + 6) = (ushort)(legacy[4] >> 16);
        *(ulong*)(area + 8) = legacy[3];
        *(ulong*)(area + 16) = legacy[5];
        byte* from = (byte*)(legacy + 7);
        for (int i = 0; i < 8; i++)
        {
            for (int b = 0; b < 10; b++)
            {
                area[Registers + (i * 16) + b] = from[(i * 10) + b];
            }
        }
    }

    /// <summary>The full tag word from the abridged one and the registers' contents: valid 0, zero 1, special 2, empty 3.</summary>
    private static uint LegacyTags(byte* area)
    {
        uint abridged = area[4];
        int top = (*(ushort*)(area + 2) >> 11) & 7;
        uint tags = 0xffff0000u;
        for (int i = 0; i < 8; i++)
        {
            uint tag = 3;
            if ((abridged & (1u << i)) != 0)
            {
                byte* st = area + Registers + (((i - top) & 7) * 16);
                int exponent = *(ushort*)(st + 8) & 0x7fff;
                ulong significand = *(ulong*)st;
                if (exponent == 0)
                {
                    tag = significand == 0 ? 1u : 2;
                }
                else
                {
                    tag = exponent != 0x7fff && significand >> 63 != 0 ? 0u : 2;
                }
            }

            tags |= tag << (2 * i);
        }

        return tags;
    }
}
