using System.Diagnostics;
using System.Globalization;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>The name of a Redis leads to another address from now on, as after the failover of a managed service.</summary>
public sealed class MovedNameTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_name_that_moves_to_another_address_is_followed_without_a_restart()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && CanMount(), "an instance with a hosts file of its own needs root on Linux, with unshare and mount.");
        await using var old = await RedisProcess.TryStartAsync([], Token);
        Assert.SkipWhen(old is null, RedisServer.None);
        var port = old.Port.ToString(CultureInfo.InvariantCulture);
        var hosts = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost sessions.test\n", Token);
            await using var app = await TargetAppProcess.StartAsync(
                ["--Sessions:Handler=redis", $"--Sessions:Redis:Configuration=sessions.test:{port}"], Token,
                "unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts);
            using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = new() }) { BaseAddress = app.Address };
            Assert.True((await browser.GetAsync("login?user=7", Token)).IsSuccessStatusCode);

            // The other server has the same port at another address, and all that the first one has.
            await using var moved = await ChildProcess.StartAsync(
                RedisProcess.Program!, ["--port", port, "--bind", "127.0.0.2", "--save", "", "--appendonly", "no", "--replicaof", "127.0.0.1", port], Token);
            await using (var admin = await ConnectionMultiplexer.ConnectAsync($"127.0.0.2:{port},allowAdmin=true,connectTimeout=20000,abortConnect=false"))
            {
                var server = admin.GetServers()[0];
                await Poll.UntilAsync(
                    async () => server.IsConnected && (await server.InfoRawAsync("replication"))!.Contains("master_link_status:up", StringComparison.Ordinal),
                    TimeSpan.FromSeconds(30), "the other server has everything", Token);
                await server.ExecuteAsync("REPLICAOF", "NO", "ONE");
            }

            await old.KillAsync();
            // In place: the instance sees this very file.
            await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost\n127.0.0.2 sessions.test\n", Token);
            await Poll.UntilAsync(
                async () => await browser.GetAsync("read", Token) is { IsSuccessStatusCode: true } answer && await answer.Content.ReadAsStringAsync(Token) == "7",
                TimeSpan.FromSeconds(30), "the session is there again, from the other address", Token);
        }
        finally
        {
            File.Delete(hosts);
        }
    }

    private static bool CanMount()
    {
        using var tried = Process.Start(new ProcessStartInfo("sh", ["-c", "unshare --mount mount --bind /etc/hosts /etc/hosts"]) { RedirectStandardError = true })!;
        tried.WaitForExit();
        return tried.ExitCode == 0;
    }
}
