using System.Diagnostics;
using System.Net.Sockets;
using System.Threading.Channels;

namespace RedisSessions.TestServers;

/// <summary>
/// One direction of a proxied connection: bytes go in at any speed and come out as late, as slowly and as silently as the proxy says. Late means later, not
/// fewer: what went in together arrives together.
/// </summary>
internal sealed class ProxiedLink(FaultProxy proxy, TcpClient to)
{
    private readonly Channel<(long Due, byte[] Bytes, Fault Fault)> _travelling = Channel.CreateUnbounded<(long, byte[], Fault)>(new() { SingleReader = true });
    private long _last;

    /// <summary>Sends bytes on their way; what goes in first arrives first.</summary>
    public void Send(byte[] bytes, Fault fault)
    {
        var delay = proxy.Latency + proxy.Jitter * Random.Shared.NextDouble();
        _last = Math.Max(_last, Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency));
        _travelling.Writer.TryWrite((_last, bytes, fault));
    }

    /// <summary>Nothing more will be sent.</summary>
    public void End() => _travelling.Writer.TryComplete();

    /// <summary>Delivers until the end, or until a fault ends the connection.</summary>
    public async Task DeliverAsync(CancellationToken cancellationToken)
    {
        var stream = to.GetStream();
        await foreach (var (due, bytes, fault) in _travelling.Reader.ReadAllAsync(cancellationToken))
        {
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, cancellationToken);
            await proxy.Silence.WaitAsync(cancellationToken);
            switch (fault)
            {
                case Fault.Cut cut:
                    if (cut.Inside)
                        await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), cancellationToken);
                    return;
                case Fault.Half:
                    to.Client.Shutdown(SocketShutdown.Send);
                    // The other direction goes on until the client ends it.
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                    return;
                case Fault.Drip drip:
                    await InPiecesAsync(bytes, drip.Bytes, drip.Pause, static () => true);
                    break;
                default:
                    await InPiecesAsync(bytes, Math.Max(1, (proxy.BytesPerSecond ?? 0) / 50), TimeSpan.FromMilliseconds(20), () => proxy.BytesPerSecond is not null);
                    break;
            }
        }

        async Task InPiecesAsync(ReadOnlyMemory<byte> bytes, int size, TimeSpan pause, Func<bool> slowly)
        {
            for (; bytes.Length > size && slowly(); bytes = bytes[size..])
            {
                await Task.Delay(pause, cancellationToken);
                await stream.WriteAsync(bytes[..size], cancellationToken);
            }

            await stream.WriteAsync(bytes, cancellationToken);
        }
    }
}
