using Lodge.Protocol;

namespace Lodge.Shim;

/// <summary>Changes the environment that a program is started with.</summary>
public static unsafe class EnvironmentEdits
{
    /// <summary>
    /// Makes the changes, one after the other, in a copy of the vector. A variable that is set keeps its place, a new one comes last; of a
    /// variable that occurs twice the first is changed and the others are dropped. Without memory nothing is changed.
    /// </summary>
    public static void Apply(in Settings settings, ref ExecRequest request)
    {
        byte** vector = (byte**)HostMemory.Map(((ulong)(uint)request.Envc + (ulong)(uint)settings.EditCount + 1) * 8);
        if (vector == null)
        {
            return;
        }

        int count = request.Envc;
        for (int i = 0; i < count; i++)
        {
            vector[i] = request.Envp[i];
        }

        for (int i = 0; i < settings.EditCount; i++)
        {
            count = Apply(settings.Edits[i], vector, count);
        }

        vector[count] = null;
        request.Envp = vector;
        request.Envc = count;
    }

    private static int Apply(in EnvironmentEdit edit, byte** vector, int count)
    {
        int kept = 0;
        bool placed = edit.Action != SettingAction.Set;
        for (int i = 0; i < count; i++)
        {
            if (!Concerns(edit, vector[i]))
            {
                vector[kept++] = vector[i];
            }
            else if (!placed)
            {
                vector[kept++] = edit.Text;
                placed = true;
            }
        }

        if (!placed)
        {
            vector[kept++] = edit.Text;
        }

        return kept;
    }

    private static bool Concerns(in EnvironmentEdit edit, byte* entry)
    {
        for (int i = 0; i < edit.NameLength; i++)
        {
            if (entry[i] != edit.Text[i])
            {
                return false;
            }
        }

        return edit.Action == SettingAction.All || entry[edit.NameLength] == '=';
    }
}
