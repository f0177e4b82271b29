using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSessions.TestServers;

/// <summary>One client of a <see cref="FaultProxy"/> and its connection to the server.</summary>
internal sealed class ProxiedConnection : IDisposable
{
    private readonly FaultProxy _proxy;
    private readonly TcpClient _client;
    private readonly TcpClient _server = new() { NoDelay = true };
    private readonly ProxiedLink _commands;
    private readonly ProxiedLink _replies;

    // One entry for each answer that the server owes, in order: what is to become of it.
    private readonly Channel<Fault> _owed = Channel.CreateUnbounded<Fault>();

    // The client has been hung up on, and a command of it is still on its way.
    private volatile bool _late;
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new();

    public ProxiedConnection(FaultProxy proxy, TcpClient client)
    {
        (_proxy, _client) = (proxy, client);
        _client.NoDelay = true;
        (_commands, _replies) = (new ProxiedLink(proxy, _server), new ProxiedLink(proxy, client));
    }

    public async Task RunAsync(string host, int port, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ended.Token);
        var token = ending.Token;
        await UntilEndAsync(async () =>
        {
            // Nobody answers in a silent network, although the kernel has accepted.
            await _proxy.Silence.WaitAsync(token);
            await _server.ConnectAsync(host, port, token);
            await Task.WhenAll(
                UntilEndAsync(() => Task.WhenAll(ForwardCommandsAsync(token), EndWithAsync(_commands.DeliverAsync(token)))),
                UntilEndAsync(() => Task.WhenAll(ForwardRepliesAsync(token), EndWithAsync(_replies.DeliverAsync(token), unlessLate: true))));
        });
    }

    public void Dispose()
    {
        lock (_ended)
        {
            if (!_ended.IsCancellationRequested)
                _ended.Cancel();
        }

        _client.Dispose();
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

    /// <summary>When the last byte is delivered, or a fault has ended it, nobody has to read any more.</summary>
    private async Task EndWithAsync(Task delivering, bool unlessLate = false)
    {
        try
        {
            await delivering;
        }
        catch (Exception e) when (unlessLate && _late && e is IOException or ObjectDisposedException)
        {
            // The client was hung up on with an answer on its way to it. The command that is late still has to reach the server.
        }
        finally
        {
            if (!unlessLate || !_late)
                Dispose();
        }
    }

    private async Task ForwardCommandsAsync(CancellationToken cancellationToken)
    {
        var frames = _proxy.NewFrames();
        var buffer = new byte[64 * 1024];
        var from = _client.GetStream();
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            frames.Append(buffer.AsSpan(0, read));
            while (frames.TryTake(out var frame))
            {
                var (fault, isAnswered) = _proxy.Decide(frame);
                if (fault is Fault.Refuse)
                {
                    Dispose();
                    return;
                }

                if (fault is Fault.Misspell)
                    Misspell(frame);
                var hold = fault as Fault.Hold;
                if (hold is { HangUp: true })
                {
                    _late = true;
                    _client.Dispose();
                }

                if (hold is not null)
                    await hold.Released.WaitAsync(cancellationToken);
                if (isAnswered || fault is not Fault.Nothing)
                    _owed.Writer.TryWrite(fault);
                _commands.Send(frame, Fault.None);
                // The server's answer ends the connection.
                if (_late)
                    await _answered.Task.WaitAsync(cancellationToken);
            }
        }

        // What the client had sent before it ended the connection still arrives.
        _commands.End();
    }

    /// <summary>The name comes after the number of parts and its own length, each on a line.</summary>
    private static void Misspell(Span<byte> command)
    {
        var first = command.IndexOf((byte)'\n') + 1;
        var name = command[first..];
        name[name.IndexOf((byte)'\n') + 1] = (byte)'?';
    }

    private async Task ForwardRepliesAsync(CancellationToken cancellationToken)
    {
        var frames = _proxy.NewFrames();
        var buffer = new byte[64 * 1024];
        var from = _server.GetStream();
        var silent = false;
        while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            frames.Append(buffer.AsSpan(0, read));
            while (frames.TryTake(out var frame))
            {
                // Pushes of RESP3 answer nothing.
                var fault = (_proxy.IsPlain || frame[0] != '>') && _owed.Reader.TryRead(out var owed) ? owed : Fault.None;
                if (fault is Fault.Hold { HangUp: true })
                {
                    _proxy.CountLateAnswer();
                    Dispose();
                    return;
                }

                silent |= fault is Fault.Swallow;
                if (silent || fault is Fault.Cut or Fault.Half)
                    _proxy.CountLostAnswer();
                if (!silent && !_late)
                    _replies.Send(frame, fault);
            }
        }

        _replies.End();
    }
}
