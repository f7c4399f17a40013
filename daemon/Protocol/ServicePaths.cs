using System;

namespace Lodge.Protocol;

/// <summary>Where the two sides meet.</summary>
public static class ServicePaths
{
    /// <summary>The system service's directory, owned by root or by the service's user.</summary>
    public static ReadOnlySpan<byte> SystemDirectory => "/run/lodge"u8;

    /// <summary>The system service's socket.</summary>
    public static ReadOnlySpan<byte> SystemSocket => "/run/lodge/lodged.sock"u8;

    /// <summary>A user's socket, behind $XDG_RUNTIME_DIR.</summary>
    public static ReadOnlySpan<byte> UserSocketSuffix => "/lodge/lodged.sock"u8;

    /// <summary>The variable that names a user's runtime directory.</summary>
    public static ReadOnlySpan<byte> RuntimeDirectoryVariable => "XDG_RUNTIME_DIR"u8;
}
