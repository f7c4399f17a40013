namespace Lodge.Translator;

/// <summary>An address as the 32-bit guest sees it: 0 to 2^32-1. Guest addresses equal host addresses, but the types keep them apart.</summary>
public readonly struct GuestAddress
{
    /// <summary>The raw 32-bit value.</summary>
    public readonly uint Value;

    /// <summary>Wraps a raw value.</summary>
    public GuestAddress(uint value) => Value = value;

    /// <summary>Adds a displacement modulo 2^32, as the guest's CPU does.</summary>
    public static GuestAddress operator +(GuestAddress address, int displacement) => new(unchecked(address.Value + (uint)displacement));

    /// <summary>The same place, as an address of the host process.</summary>
    public HostAddress ToHost() => new(Value);
}

/// <summary>An address of the 64-bit process that holds the guest: code cache, stacks, tables, and (below 4 GiB) the guest itself.</summary>
public readonly struct HostAddress
{
    /// <summary>The raw 64-bit value.</summary>
    public readonly ulong Value;

    /// <summary>Wraps a raw value.</summary>
    public HostAddress(ulong value) => Value = value;

    /// <summary>True when the address lies in the guest's 4 GiB.</summary>
    public bool IsGuest => Value >> 32 == 0;

    /// <summary>The address as a byte pointer.</summary>
    public unsafe byte* Pointer => (byte*)Value;
}
