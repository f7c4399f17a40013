using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;

namespace Lodge.Service;

/// <summary>What one user may ask of the service, so that a flood costs only whoever makes it. For the loop's thread.</summary>
internal sealed class UserQuotas
{
    /// <summary>Connections a second, whatever they bring. A launch makes one or two.</summary>
    public const int ConnectionsPerSecond = 8000, ConnectionBurst = 20000;

    /// <summary>Log lines a second.</summary>
    public const int LinesPerSecond = 200, LineBurst = 2000;

    private const int Sweep = 1024;

    private struct Quota
    {
        public TokenBucket Connections;
        public TokenBucket Lines;
        public int Open;
    }

    private readonly Dictionary<uint, Quota> _users = [];

    /// <summary>May this user have one more connection now? Counts it; <see cref="Leave"/> gives it back.</summary>
    public bool Enter(uint uid, int most)
    {
        ref Quota quota = ref Of(uid);
        if (quota.Open >= most || !quota.Connections.Take(EventLoop.Now))
        {
            return false;
        }

        quota.Open++;
        return true;
    }

    /// <summary>A connection has ended.</summary>
    public void Leave(uint uid) => Of(uid).Open--;

    /// <summary>May this user have one more line logged now?</summary>
    public bool TakeLine(uint uid) => Of(uid).Lines.Take(EventLoop.Now);

    private ref Quota Of(uint uid)
    {
        if (_users.Count >= Sweep && !_users.ContainsKey(uid))
        {
            long now = EventLoop.Now;
            foreach ((uint user, Quota quotaOfUser) in _users.ToList())
            {
                if (quotaOfUser.Open == 0 && quotaOfUser.Connections.IsFull(now) && quotaOfUser.Lines.IsFull(now))
                {
                    _users.Remove(user);
                }
            }
        }

        ref Quota quota = ref CollectionsMarshal.GetValueRefOrAddDefault(_users, uid, out bool known);
        if (!known)
        {
            quota.Connections = new TokenBucket(ConnectionsPerSecond, ConnectionBurst);
            quota.Lines = new TokenBucket(LinesPerSecond, LineBurst);
        }

        return ref quota;
    }
}
