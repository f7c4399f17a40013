using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Lodge.Interop;
using Mono.Unix.Native;

namespace Lodge.Service;

/// <summary>
/// Answers HTTP requests for /metrics, one per connection, on stream sockets. A request is a few hundred bytes and must come within two
/// seconds; the answer fits a socket's buffer. For the loop's thread.
/// </summary>
internal sealed class MetricsServer(EventLoop loop, Func<string> text)
{
    private const int MaxConnections = 16, MaxRequest = 4096;
    private const long Milliseconds = 2000;

    private readonly HashSet<Connection> _connections = [];

    /// <summary>Scrapes in progress.</summary>
    public int Count => _connections.Count;

    /// <summary>Takes a connection.</summary>
    public void Accept(int fd)
    {
        if (_connections.Count >= MaxConnections)
        {
            _ = Syscall.close(fd);
            return;
        }

        Connection connection = new(this, fd);
        if (loop.Add(fd, EpollBits.Readable, connection) < 0)
        {
            _ = Syscall.close(fd);
            return;
        }

        _connections.Add(connection);
    }

    /// <summary>Ends what takes too long.</summary>
    public void Tick()
    {
        long now = EventLoop.Now;
        foreach (Connection slow in new List<Connection>(_connections))
        {
            if (now >= slow.Deadline)
            {
                slow.Close();
            }
        }
    }

    /// <summary>The answer to a request's first bytes.</summary>
    public static string Answer(string request, Func<string> text)
    {
        string[] words = request.Split('\n', 2)[0].TrimEnd('\r').Split(' ');
        bool head = words[0] == "HEAD";
        if (words.Length != 3 || !words[2].StartsWith("HTTP/1.", StringComparison.Ordinal))
        {
            return Response("400 Bad Request", "not an HTTP request\n", false);
        }

        if (words[0] != "GET" && !head)
        {
            return Response("405 Method Not Allowed", "only GET\n", false);
        }

        return words[1] == "/metrics" || words[1].StartsWith("/metrics?", StringComparison.Ordinal)
            ? Response("200 OK", text(), head)
            : Response("404 Not Found", "see /metrics\n", head);
    }

    private static string Response(string status, string body, bool head)
    {
        string length = Encoding.UTF8.GetByteCount(body).ToString(CultureInfo.InvariantCulture);
        return $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            + (head ? "" : body);
    }

    private sealed class Connection(MetricsServer server, int fd) : IReadiness
    {
        private readonly byte[] _request = new byte[MaxRequest];
        private byte[]? _answer;
        private int _length;
        private int _sent;
        private bool _closed;

        public long Deadline { get; } = EventLoop.Now + Milliseconds;

        public unsafe void OnReady(EpollBits bits)
        {
            if (_answer != null)
            {
                Write();
                return;
            }

            long n;
            fixed (byte* to = _request)
            {
                n = Syscall.recv(fd, to + _length, (ulong)(MaxRequest - _length), MessageFlags.MSG_DONTWAIT);
            }

            if (n < 0 && Stdlib.GetLastError() is Errno.EAGAIN or Errno.EINTR)
            {
                return;
            }

            if (n <= 0)
            {
                Close();
                return;
            }

            _length += (int)n;
            string request = Encoding.Latin1.GetString(_request, 0, _length);
            if (request.Contains("\r\n\r\n", StringComparison.Ordinal) || request.Contains("\n\n", StringComparison.Ordinal))
            {
                _answer = Encoding.UTF8.GetBytes(Answer(request, server.Text));
                Write();
            }
            else if (_length == MaxRequest)
            {
                Close();
            }
        }

        public void Close()
        {
            if (!_closed)
            {
                _closed = true;
                server._connections.Remove(this);
                server.Loop.Close(fd);
            }
        }

        private unsafe void Write()
        {
            fixed (byte* from = _answer)
            {
                while (_sent < _answer!.Length)
                {
                    long n = Syscall.send(fd, from + _sent, (ulong)(_answer.Length - _sent), MessageFlags.MSG_DONTWAIT | MessageFlags.MSG_NOSIGNAL);
                    if (n < 0 && Stdlib.GetLastError() == Errno.EAGAIN)
                    {
                        server.Loop.Modify(fd, EpollBits.Writable);
                        return;
                    }

                    if (n <= 0)
                    {
                        break;
                    }

                    _sent += (int)n;
                }
            }

            Close();
        }
    }

    private EventLoop Loop => loop;

    private Func<string> Text => text;
}
