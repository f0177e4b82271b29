using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Connection;

public sealed class BatchedWritesTests
{
    private static readonly DnsEndPoint Server = new("localhost", 6379);

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_written_is_sent_at_once_and_then_the_client_waits_for_its_turn()
    {
        var (client, server) = await PairAsync();
        using var _ = client;
        using var __ = server;
        await using var stream = await new BatchedWrites().BeforeAuthenticateAsync(Server, ConnectionType.Interactive, client, CancellationToken);
        var (turns, before) = (new Turns(), SynchronizationContext.Current);

        ValueTask written;
        SynchronizationContext.SetSynchronizationContext(turns);
        try
        {
            written = stream!.WriteAsync("PING"u8.ToArray(), CancellationToken);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }

        var received = new byte[8];
        Assert.Equal("PING"u8.ToArray(), received[..await server.ReceiveAsync(received, CancellationToken)]);
        Assert.False(written.IsCompleted);
        Assert.Single(turns.Waiting)();
        Assert.True(written.IsCompletedSuccessfully);
        await written;
    }

    [Fact]
    public async Task A_failed_write_is_the_clients_to_know()
    {
        var (client, server) = await PairAsync();
        using var _ = client;
        using var __ = server;
        await using var stream = await new BatchedWrites().BeforeAuthenticateAsync(Server, ConnectionType.Interactive, client, CancellationToken);
        client.Shutdown(SocketShutdown.Both);
        await Assert.ThrowsAsync<IOException>(() => stream!.WriteAsync("PING"u8.ToArray(), CancellationToken).AsTask());
    }

    /// <summary>Messages are few, and a client without a socket has a transport of its own.</summary>
    [Fact]
    public async Task Other_connections_are_as_the_client_makes_them()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Assert.Null(await new BatchedWrites().BeforeAuthenticateAsync(Server, ConnectionType.Subscription, socket, CancellationToken));
        Assert.Null(await new BatchedWrites().BeforeAuthenticateAsync(Server, ConnectionType.Interactive, socket: null, CancellationToken));
    }

    [Fact]
    public void A_tunnel_that_the_string_names_goes_before()
    {
        Assert.IsType<BatchedWrites>(RedisConnection.Parse("localhost:6379", TimeSpan.FromSeconds(1)).Tunnel);
        Assert.Equal("http:proxy:3128", RedisConnection.Parse("localhost:6379,tunnel=http:proxy:3128", TimeSpan.FromSeconds(1)).Tunnel!.ToString());
    }

    private static async Task<(Socket Client, Socket Server)> PairAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndpoint, CancellationToken);
        return (client, await listener.AcceptSocketAsync(CancellationToken));
    }

    /// <summary>Those who wait for their turn.</summary>
    private sealed class Turns : SynchronizationContext
    {
        public List<Action> Waiting { get; } = [];

        public override void Post(SendOrPostCallback d, object? state) => Waiting.Add(() => d(state));
    }
}
