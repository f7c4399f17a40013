using System.Threading;

namespace Lodge.Shim;

/// <summary>Which records a thread shares with its creator, and the list of a group's threads.</summary>
public static unsafe class TaskRecords
{
    /// <summary>Gives a child that shares memory its records: the creator's, or copies, as the flags say.</summary>
    /// <returns>0 or -ENOMEM; then nothing has been shared.</returns>
    public static int Share(GuestThread* t, GuestThread* c, ulong flags)
    {
        c->Sighand = (flags & CloneFlags.CLONE_SIGHAND) != 0 ? t->Sighand : CopySighand(t);
        c->Files = (flags & CloneFlags.CLONE_FILES) != 0 ? t->Files : CopyFiles(t);
        c->Fs = (flags & CloneFlags.CLONE_FS) != 0 ? t->Fs : CopyFs(t);
        c->Group = (flags & CloneFlags.CLONE_THREAD) != 0 ? t->Group : CopyGroup(t);
        if (c->Sighand == null || c->Files == null || c->Fs == null || c->Group == null)
        {
            Discard(t, c);
            return -Errno.ENOMEM;
        }

        Interlocked.Increment(ref t->Mm->Users);
        Join(ref t->Sighand->Users, c->Sighand == t->Sighand);
        Join(ref t->Files->Users, c->Files == t->Files);
        Join(ref t->Fs->Users, c->Fs == t->Fs);
        Join(ref t->Group->Users, c->Group == t->Group);
        return 0;
    }

    /// <summary>Gives the records of a thread up that has ended, or is about to, or was never begun.</summary>
    /// <param name="t">The calling thread.</param>
    /// <param name="c">The thread whose records they are; may be the caller.</param>
    public static void Release(GuestThread* t, GuestThread* c)
    {
        if (Interlocked.Decrement(ref c->Sighand->Users) == 0)
        {
            Mm.Free(t, c->Sighand, (ulong)sizeof(Sighand));
        }

        if (Interlocked.Decrement(ref c->Files->Users) == 0)
        {
            Mm.Free(t, c->Files, (ulong)sizeof(FilesStruct));
        }

        if (Interlocked.Decrement(ref c->Fs->Users) == 0)
        {
            Mm.Free(t, c->Fs, (ulong)sizeof(FsStruct));
        }

        if (Interlocked.Decrement(ref c->Group->Users) == 0)
        {
            Mm.Free(t, c->Group, (ulong)sizeof(ThreadGroup));
        }

        Interlocked.Decrement(ref c->Mm->Users);
    }

    /// <summary>Enters the calling thread into its group's list.</summary>
    public static void EnterGroup(GuestThread* t)
    {
        ThreadGroup* group = t->Group;
        group->ThreadsLock.Acquire(t);
        t->Links.Previous = null;
        t->Links.Next = group->Threads;
        if (group->Threads != null)
        {
            group->Threads->Links.Previous = t;
        }

        group->Threads = t;
        group->ThreadsLock.Release(t);
    }

    /// <summary>Takes the calling thread out of its group's list.</summary>
    public static void LeaveGroup(GuestThread* t)
    {
        ThreadGroup* group = t->Group;
        group->ThreadsLock.Acquire(t);
        if (t->Links.Previous != null)
        {
            t->Links.Previous->Links.Next = t->Links.Next;
        }
        else if (group->Threads == t)
        {
            group->Threads = t->Links.Next;
        }

        if (t->Links.Next != null)
        {
            t->Links.Next->Links.Previous = t->Links.Previous;
        }

        group->ThreadsLock.Release(t);
    }

    /// <summary>unshare(CLONE_FILES): a copy of the descriptor bookkeeping. 0 or -ENOMEM.</summary>
    public static int UnshareFiles(GuestThread* t)
    {
        FilesStruct* old = t->Files;
        if (Volatile.Read(ref old->Users) == 1)
        {
            return 0;
        }

        FilesStruct* copy = CopyFiles(t);
        if (copy == null)
        {
            return -Errno.ENOMEM;
        }

        t->Files = copy;
        Interlocked.Decrement(ref old->Users);
        return 0;
    }

    /// <summary>unshare(CLONE_FS): a copy of the directory bookkeeping. 0 or -ENOMEM.</summary>
    public static int UnshareFs(GuestThread* t)
    {
        FsStruct* old = t->Fs;
        if (Volatile.Read(ref old->Users) == 1)
        {
            return 0;
        }

        FsStruct* copy = CopyFs(t);
        if (copy == null)
        {
            return -Errno.ENOMEM;
        }

        t->Fs = copy;
        Interlocked.Decrement(ref old->Users);
        return 0;
    }

    private static Sighand* CopySighand(GuestThread* t)
    {
        Sighand* copy = (Sighand*)Mm.Allocate(t, (ulong)sizeof(Sighand));
        if (copy != null)
        {
            t->Sighand->Lock.Acquire(t);
            *copy = *t->Sighand;
            t->Sighand->Lock.Release(t);
            copy->Lock.Reset();
            copy->Users = 1;
        }

        return copy;
    }

    private static FilesStruct* CopyFiles(GuestThread* t)
    {
        FilesStruct* copy = (FilesStruct*)Mm.Allocate(t, (ulong)sizeof(FilesStruct));
        if (copy != null)
        {
            *copy = *t->Files;
            copy->Users = 1;
        }

        return copy;
    }

    private static FsStruct* CopyFs(GuestThread* t)
    {
        FsStruct* copy = (FsStruct*)Mm.Allocate(t, (ulong)sizeof(FsStruct));
        if (copy != null)
        {
            *copy = *t->Fs;
            copy->Users = 1;
        }

        return copy;
    }

    private static ThreadGroup* CopyGroup(GuestThread* t)
    {
        ThreadGroup* copy = (ThreadGroup*)Mm.Allocate(t, (ulong)sizeof(ThreadGroup));
        if (copy != null)
        {
            *copy = *t->Group;
            copy->ThreadsLock.Reset();
            copy->Threads = null;
            copy->Users = 1;
        }

        return copy;
    }

    private static void Join(ref int users, bool shared)
    {
        if (shared)
        {
            Interlocked.Increment(ref users);
        }
    }

    private static void Discard(GuestThread* t, GuestThread* c)
    {
        if (c->Sighand != null && c->Sighand != t->Sighand)
        {
            Mm.Free(t, c->Sighand, (ulong)sizeof(Sighand));
        }

        if (c->Files != null && c->Files != t->Files)
        {
            Mm.Free(t, c->Files, (ulong)sizeof(FilesStruct));
        }

        if (c->Fs != null && c->Fs != t->Fs)
        {
            Mm.Free(t, c->Fs, (ulong)sizeof(FsStruct));
        }

        if (c->Group != null && c->Group != t->Group)
        {
            Mm.Free(t, c->Group, (ulong)sizeof(ThreadGroup));
        }
    }
}
