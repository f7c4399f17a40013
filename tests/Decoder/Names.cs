using System;
using Iced.Intel;

namespace Lodge.DecoderTests;

/// <summary>Iced's mnemonics where they differ from the manuals' by convention only.</summary>
internal static class Names
{
    private static readonly string[] All = Enum.GetNames<Mnemonic>();

    public static string Of(Mnemonic m) => m switch
    {
        Mnemonic.Reservednop => "nop",
        Mnemonic.Fstpnce => "fstp",
        _ => All[(int)m],
    };

    /// <summary>Are the operands comparable? Hint NOPs have operands on paper only; blends and SHA list their implied XMM0 in the table.</summary>
    public static bool ListsOperands(Mnemonic m) =>
        m is not (Mnemonic.Monitor or Mnemonic.Mwait or Mnemonic.Reservednop or Mnemonic.Pblendvb or Mnemonic.Blendvps or Mnemonic.Blendvpd or Mnemonic.Sha256rnds2);
}
