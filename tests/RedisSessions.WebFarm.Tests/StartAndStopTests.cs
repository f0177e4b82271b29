using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>One clear line when it cannot start; nothing left when it ends.</summary>
public sealed class StartAndStopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_port_in_use_is_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = $"http://{taken.LocalEndpoint}";
        await using var farm = FarmProcess.Launch([], "--urls", address);
        await AssertFailsAsync(farm, $"{address}: address already in use");
    }

    [Fact]
    public async Task A_redis_that_is_not_there_is_one_line()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var endpoint = silent.LocalEndpoint!.ToString()!;
        silent.Stop();
        await using var farm = FarmProcess.Launch([], "--urls", "http://127.0.0.1:0", "--Sessions:Redis:Configuration=" + endpoint);
        await AssertFailsAsync(farm, $"Redis at {endpoint} does not answer");
    }

    [Fact]
    public async Task A_redis_url_that_makes_no_sense_is_one_line()
    {
        await using var farm = FarmProcess.Launch(new() { ["REDIS_URL"] = "http://secret@nowhere" }, "--urls", "http://127.0.0.1:0");
        await AssertFailsAsync(farm, "it must be redis://host:port");
        Assert.DoesNotContain("secret", farm.Errors.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_whose_scripts_are_not_atomic_is_refused()
    {
        var port = FreePort();
        using var garnet = new Garnet.GarnetServer([
            "--bind", "127.0.0.1", "--port", port, "--lua", "--memory", "64m", "--page", "1m", "--index", "1m", "-q", "--disable-console-logger"]);
        garnet.Start();
        await using var farm = FarmProcess.Launch([], "--urls", "http://127.0.0.1:0", "--Sessions:Redis:Configuration=127.0.0.1:" + port);
        Assert.Equal(1, await farm.ExitCodeAsync(Token));
        Assert.Contains(farm.Errors, static line => line.Contains("its scripts are not atomic", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_redis_that_is_given_is_used()
    {
        var port = FreePort();
        using var redis = RedisServer(port);
        try
        {
            await Poll.UntilAsync(() => Answers(port), Patience, "redis-server to listen", Token);
            await using var farm = await FarmProcess.StartAsync(Token, $"redis://:p%40ss@127.0.0.1:{port}");
            Assert.Contains($"Redis: 127.0.0.1:{port})", Assert.Single(farm.Output), StringComparison.Ordinal);
            using var visitor = new Visitor(farm);
            for (var i = 1; i <= 6; i++)
                Assert.Equal(i, await visitor.IncrementAsync(Token));
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Theory]
    [InlineData("TERM", false)]
    [InlineData("INT", false)]
    [InlineData("INT", true)]
    public async Task A_signal_ends_every_process(string signal, bool toAll)
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        var instances = await PidsAsync(farm);
        var said = farm.Errors.Count;
        // Ctrl-C in a terminal reaches all of them at once.
        await ProcessSignal.SendAsync(signal, toAll ? [farm.Pid, .. instances] : [farm.Pid]);
        Assert.Equal(0, await farm.ExitCodeAsync(Token));
        Assert.DoesNotContain(instances, FarmProcess.IsRunning);
        Assert.Equal([], farm.Errors.Skip(said));
    }

    [Fact]
    public async Task Instances_do_not_outlive_a_balancer_that_was_killed()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        var instances = await PidsAsync(farm);
        await ProcessSignal.SendAsync("KILL", farm.Pid);
        await Poll.UntilAsync(() => !instances.Any(FarmProcess.IsRunning), Patience, "the instances to end", Token);
    }

    private static async Task<int[]> PidsAsync(FarmProcess farm)
    {
        using var visitor = new Visitor(farm);
        var pids = (await visitor.InstancesAsync(Token)).Select(static instance => instance.Pid).ToArray();
        Assert.Equal(3, pids.Count(FarmProcess.IsRunning));
        return pids;
    }

    private static async Task AssertFailsAsync(FarmProcess farm, string reason)
    {
        Assert.Equal(1, await farm.ExitCodeAsync(Token));
        Assert.Contains(reason, Assert.Single(farm.Errors), StringComparison.Ordinal);
        Assert.Empty(farm.Output);
    }

    private static Process RedisServer(string port)
    {
        try
        {
            return Process.Start("redis-server",
                ["--port", port, "--bind", "127.0.0.1", "--requirepass", "p@ss", "--save", "", "--appendonly", "no", "--logfile", "/dev/null"]);
        }
        catch (Win32Exception)
        {
            Assert.Skip("redis-server is not installed: not on the PATH");
            throw;
        }
    }

    private static bool Answers(string port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", int.Parse(port, CultureInfo.InvariantCulture));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
