using System.Net;
using System.Net.Sockets;
using RedisSessions.TestServers;

namespace RedisSessions.PhpBridge.Tests;

/// <summary>One clear line when it cannot start; nothing left when it ends.</summary>
public sealed class StartAndStopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("INT", "redis")]
    [InlineData("INT", "files")]
    [InlineData("TERM", "redis")]
    public async Task A_signal_ends_every_process_and_leaves_no_file(string signal, string store)
    {
        await using var bridge = await BridgeProcess.StartAsync(store, Token);
        using var visitor = new Visitor(bridge);
        await visitor.SendAsync("/", "/login", Token, ("user", "1"));
        var tree = bridge.Tree();
        Assert.True(tree.Count > bridge.Servers.Count + 2, "nginx and php-fpm have workers");
        Assert.All(tree, static pid => Assert.True(BridgeProcess.IsRunning(pid)));
        Assert.NotEmpty(Directory.GetDirectories(bridge.Folder, "php-bridge-*"));

        await bridge.SignalAsync(signal);
        Assert.Equal(0, await bridge.ExitCodeAsync(Token));
        Assert.DoesNotContain(tree, BridgeProcess.IsRunning);
        Assert.Empty(bridge.Errors);
        Assert.Single(bridge.Output);
        Assert.Empty(Directory.GetFileSystemEntries(bridge.Folder));
    }

    [Fact]
    public async Task No_server_outlives_a_bridge_that_was_killed()
    {
        await using var bridge = await BridgeProcess.StartAsync("redis", Token);
        var tree = bridge.Tree();
        await bridge.SignalAsync("KILL");
        await Poll.UntilAsync(() => !tree.Any(BridgeProcess.IsRunning), Patience, "the servers have ended", Token);
    }

    [Fact]
    public async Task A_server_that_dies_ends_the_bridge_with_one_line()
    {
        await using var bridge = await BridgeProcess.StartAsync("files", Token);
        var tree = bridge.Tree();
        await ProcessSignal.SendAsync("TERM", bridge.Servers[0]);
        Assert.Equal(1, await bridge.ExitCodeAsync(Token));
        Assert.StartsWith("PHP bridge: nginx has ended", Assert.Single(bridge.Errors), StringComparison.Ordinal);
        Assert.DoesNotContain(tree, BridgeProcess.IsRunning);
    }

    [Fact]
    public async Task A_port_in_use_is_one_line()
    {
        BridgeProcess.SkipUnlessInstalled();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var bridge = BridgeProcess.Launch([], "--store", "files", "--port", $"{port}");
        await AssertFailsAsync(bridge, $"PHP bridge: Port {port} is in use");
    }

    [Theory]
    [InlineData("--store", "tape", "--store is \"tape\": it must be redis or files")]
    [InlineData("--port", "0", "--port is \"0\": it must be from 1 to 65535")]
    public async Task A_setting_that_makes_no_sense_is_one_line(string name, string value, string message)
    {
        await using var bridge = BridgeProcess.Launch([], name, value);
        await AssertFailsAsync(bridge, message);
    }

    [Fact]
    public async Task What_is_missing_is_named_with_what_to_install()
    {
        BridgeProcess.SkipUnlessInstalled();
        var empty = Directory.CreateTempSubdirectory("no-programs-");
        try
        {
            // dotnet is started by this process, whose PATH counts for that.
            await using var bridge = BridgeProcess.Launch(new() { ["PATH"] = empty.FullName });
            await AssertFailsAsync(bridge, "Not on the PATH: redis-server. On Debian and Ubuntu: apt-get install nginx php-fpm php-redis redis-server");
        }
        finally
        {
            empty.Delete();
        }
    }

    private static async Task AssertFailsAsync(BridgeProcess bridge, string message)
    {
        Assert.Equal(1, await bridge.ExitCodeAsync(Token));
        Assert.Contains(message, Assert.Single(bridge.Errors), StringComparison.Ordinal);
        Assert.Empty(bridge.Output);
    }
}
