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
                    await InPiecesAsync(bytes, drip.Bytes, drip.Pause);
                    break;
                default:
                    if (proxy.BytesPerSecond is { } speed)
                        await InPiecesAsync(bytes, Math.Max(1, speed / 50), TimeSpan.FromMilliseconds(20));
                    else
                        await stream.WriteAsync(bytes, cancellationToken);
                    break;
            }
        }

        async Task InPiecesAsync(ReadOnlyMemory<byte> bytes, int size, TimeSpan pause)
        {
            for (; bytes.Length > 0; bytes = bytes[Math.Min(size, bytes.Length)..])
            {
                await Task.Delay(pause, cancellationToken);
                await stream.WriteAsync(bytes[..Math.Min(size, bytes.Length)], cancellationToken);
            }
        }
    }
}
