using Lodge.Protocol;
using HostAbi = Lodge.Abi.Host;

namespace Lodge.Shim;

/// <summary>The work-around small-inodes: inode numbers folded to 32 bits, the same way wherever a program sees one.</summary>
public static unsafe class SmallInodes
{
    /// <summary>Place of stx_ino in struct statx.</summary>
    private const uint StatxInode = 32;

    /// <summary>The two halves XORed; 0 would mean a deleted file. Numbers that fit stay what they are.</summary>
    public static uint Fold(ulong inode)
    {
        uint folded = (uint)inode ^ (uint)(inode >> 32);
        return folded != 0 || inode == 0 ? folded : 1;
    }

    /// <summary>Folds a number in a directory record of ours.</summary>
    public static void Fold(GuestThread* t, ulong* inode)
    {
        if (t->Group->Settings.Has(Workaround.SmallInodes))
        {
            *inode = Fold(*inode);
        }
    }

    /// <summary>Folds the result of a stat; hands on the call's result.</summary>
    public static int Stat(GuestThread* t, HostAbi.stat* st, int result)
    {
        if (result == 0 && t->Group->Settings.Has(Workaround.SmallInodes))
        {
            st->st_ino = Fold(st->st_ino);
        }

        return result;
    }

    /// <summary>Folds a struct statx in guest memory; hands on the call's result.</summary>
    public static int Statx(GuestThread* t, uint buffer, int result)
    {
        if (result == 0 && t->Group->Settings.Has(Workaround.SmallInodes) && User.Get(buffer + StatxInode, out ulong inode))
        {
            inode = Fold(inode);
            _ = User.Put(buffer + StatxInode, in inode);
        }

        return result;
    }
}
