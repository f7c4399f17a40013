using System;
using Mono.Unix.Native;

namespace Lodge.Client;

/// <summary>The service cannot be reached, is not to be trusted, or said no.</summary>
public sealed class ServiceException : Exception
{
    /// <summary>An error with its errno.</summary>
    public ServiceException(Errno errno, string message)
        : base(message) => Errno = errno;

    /// <summary>ENOENT or ECONNREFUSED: no service runs; EPERM: refused; ETIMEDOUT: it does not answer; EPROTO: it answers nonsense.</summary>
    public Errno Errno { get; }

    /// <summary>True when there is no service at this address.</summary>
    public bool NotRunning => Errno is Errno.ENOENT or Errno.ECONNREFUSED;
}
