using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace RedisSessions.Redis;

/// <summary>
/// Lets commands of many requests go in one write. The client writes what it has as soon as the write before is done, which on a socket is at once, so nearly every
/// command went alone; and a write to a socket costs more than all else that a request costs here (ADR 22).
/// </summary>
internal sealed class BatchedWrites : Tunnel
{
    /// <inheritdoc/>
    public override ValueTask<Stream?> BeforeAuthenticateAsync(EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
        // Null is the client's own stream.
        new(connectionType == ConnectionType.Interactive && socket is not null ? new Batching(socket) : null);

    private sealed class Batching(Socket socket) : NetworkStream(socket)
    {
        // It is sent without delay, and only then the client has to wait for its turn among what is ready to run: requests, whose commands come together meanwhile.
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await base.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            await Task.Yield();
        }
    }
}
