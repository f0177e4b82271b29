using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSessions.TestServers;

/// <summary>One client of a <see cref="FaultProxy"/> and its connection to the server.</summary>
internal sealed class ProxiedConnection(FaultProxy proxy, TcpClient client) : IDisposable
{
    private readonly TcpClient _server = new() { NoDelay = true };

    // One entry for each answer that the server owes, in order: what is to become of it.
    private readonly Channel<Fault> _owed = Channel.CreateUnbounded<Fault>();

    // The client has been hung up on, and a command of it is still on its way.
    private volatile bool _late;
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task RunAsync(string host, int port, CancellationToken cancellationToken)
    {
        client.NoDelay = true;
        await UntilEndAsync(async () =>
        {
            await _server.ConnectAsync(host, port, cancellationToken);
            await Task.WhenAll(
                UntilEndAsync(() => ForwardCommandsAsync(cancellationToken)),
                UntilEndAsync(() => ForwardRepliesAsync(cancellationToken)));
        });
    }

    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
        _answered.TrySetResult();
    }

    /// <summary>Whichever direction ends first ends the other.</summary>
    private async Task UntilEndAsync(Func<Task> forward)
    {
        try
        {
            await forward();
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The connection has ended, one way or another: that is what this class is for.
        }
        finally
        {
            Dispose();
        }
    }

    private async Task ForwardCommandsAsync(CancellationToken cancellationToken)
    {
        var frames = new RespFrames();
        var buffer = new byte[64 * 1024];
        var (from, to) = (client.GetStream(), _server.GetStream());
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            frames.Append(buffer.AsSpan(0, read));
            while (frames.TryTake(out var frame))
            {
                var name = RespFrames.CommandName(frame);
                var fault = proxy.Decide(name);
                if (fault is Fault.Refuse)
                    return;
                var hold = fault as Fault.Hold;
                if (hold is { HangUp: true })
                {
                    _late = true;
                    client.Dispose();
                }

                if (hold is not null)
                    await hold.Released.WaitAsync(cancellationToken);
                // In RESP3 these are answered by pushes, which nobody is owed.
                if (!name.EndsWith("SUBSCRIBE", StringComparison.Ordinal))
                    _owed.Writer.TryWrite(fault);
                await to.WriteAsync(frame, cancellationToken);
                // The server's answer ends the connection.
                if (_late)
                    await _answered.Task.WaitAsync(cancellationToken);
            }
        }
    }

    private async Task ForwardRepliesAsync(CancellationToken cancellationToken)
    {
        var frames = new RespFrames();
        var buffer = new byte[64 * 1024];
        var (from, to) = (_server.GetStream(), client.GetStream());
        var silent = false;
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            frames.Append(buffer.AsSpan(0, read));
            while (frames.TryTake(out var frame))
            {
                var fault = frame[0] != '>' && _owed.Reader.TryRead(out var owed) ? owed : Fault.None;
                if (fault is Fault.Hold { HangUp: true })
                    proxy.CountLateAnswer();
                if (fault is Fault.Cut or Fault.Hold { HangUp: true })
                    return;
                silent |= fault is Fault.Swallow;
                if (!silent && !_late)
                    await to.WriteAsync(frame, cancellationToken);
            }
        }
    }
}
