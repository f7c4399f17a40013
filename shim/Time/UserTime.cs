using Compat = Lodge.Abi.Compat;

namespace Lodge.Shim;

/// <summary>
/// The two widths of the guest's time structures. Inside the shim every time is a <c>__kernel_timespec</c> (64-bit seconds and
/// nanoseconds), which is also the layout of the host calls and of the guest's time64 calls.
/// Every method is fault-safe, keeps no state, and may be called in any thread.
/// </summary>
internal static unsafe class UserTime
{
    /// <summary>
    /// Reads a 32-bit timespec (get_old_timespec32, kernel/time/time.c): both members are sign-extended.
    /// </summary>
    /// <returns>False where <paramref name="from"/> cannot be read.</returns>
    public static bool Get32(uint from, Compat.__kernel_timespec* to)
    {
        if (!User.Get(from, out Compat.old_timespec32 user))
        {
            return false;
        }

        to->tv_sec = user.tv_sec;
        to->tv_nsec = user.tv_nsec;
        return true;
    }

    /// <summary>
    /// Reads a 64-bit timespec as a 32-bit caller passes it (get_timespec64): the upper half of tv_nsec is padding and ignored.
    /// </summary>
    /// <returns>False where <paramref name="from"/> cannot be read.</returns>
    public static bool Get64(uint from, Compat.__kernel_timespec* to)
    {
        if (!User.CopyIn(to, from, (nuint)sizeof(Compat.__kernel_timespec)))
        {
            return false;
        }

        to->tv_nsec = (uint)to->tv_nsec;
        return true;
    }

    /// <summary>Reads a timespec of the width that <paramref name="is64"/> names.</summary>
    public static bool Get(bool is64, uint from, Compat.__kernel_timespec* to) => is64 ? Get64(from, to) : Get32(from, to);

    /// <summary>Writes a 32-bit timespec, cutting off the upper halves as put_old_timespec32 does.</summary>
    /// <returns>0 or -EFAULT.</returns>
    public static int Put32(uint to, Compat.__kernel_timespec* from)
    {
        Compat.old_timespec32 user;
        user.tv_sec = (int)from->tv_sec;
        user.tv_nsec = (int)from->tv_nsec;
        return User.Put(to, user) ? 0 : -Errno.EFAULT;
    }

    /// <summary>Writes a 64-bit timespec.</summary>
    /// <returns>0 or -EFAULT.</returns>
    public static int Put64(uint to, Compat.__kernel_timespec* from) =>
        User.CopyOut(to, from, (nuint)sizeof(Compat.__kernel_timespec)) ? 0 : -Errno.EFAULT;

    /// <summary>Writes a timespec of the width that <paramref name="is64"/> names.</summary>
    /// <returns>0 or -EFAULT.</returns>
    public static int Put(bool is64, uint to, Compat.__kernel_timespec* from) => is64 ? Put64(to, from) : Put32(to, from);

    /// <summary>Reads an itimerspec: interval first, then value. Both halves are read before either counts, as in get_itimerspec64.</summary>
    public static bool GetTimer(bool is64, uint from, Compat.__kernel_itimerspec* to)
    {
        uint second = is64 ? (uint)sizeof(Compat.__kernel_timespec) : (uint)sizeof(Compat.old_timespec32);
        return Get(is64, from, &to->it_interval) && Get(is64, from + second, &to->it_value);
    }

    /// <summary>Writes an itimerspec.</summary>
    /// <returns>0 or -EFAULT.</returns>
    public static int PutTimer(bool is64, uint to, Compat.__kernel_itimerspec* from)
    {
        uint second = is64 ? (uint)sizeof(Compat.__kernel_timespec) : (uint)sizeof(Compat.old_timespec32);
        int result = Put(is64, to, &from->it_interval);
        return result != 0 ? result : Put(is64, to + second, &from->it_value);
    }

    /// <summary>
    /// A host pointer for an optional time argument: 0 for none, <paramref name="buffer"/> where the guest's structure could be read into it,
    /// else an address that the host kernel refuses with EFAULT at the very point where it would have read the structure.
    /// </summary>
    public static long Optional(bool is64, uint from, Compat.__kernel_timespec* buffer) =>
        from == 0 ? 0 : Required(is64, from, buffer);

    /// <summary>As <see cref="Optional"/>, for an argument that must not be null.</summary>
    public static long Required(bool is64, uint from, Compat.__kernel_timespec* buffer) =>
        Get(is64, from, buffer) ? (long)buffer : BadPointer.Value;
}
