using System.Collections.Concurrent;
using RedisSessions.TestServers;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace RedisSessions.Redis.Tests.Connection;

/// <summary>The password of a running application is changed, on a server of our own.</summary>
public sealed class RotationTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_password_that_changes_under_load_fails_no_call()
    {
        await using var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH: passwords are changed on a server of our own");
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis!.Configuration},allowAdmin=true");
        await AclAsync("on", ">first", "~*", "&*", "+@all");
        var credentials = new Credentials { Current = "first" };
        await using var instance = Instance.Create(redis.Configuration, options => options.ConfigureClient = client =>
        {
            client.Defaults = credentials;
            return Task.CompletedTask;
        });
        await instance.StartAsync(CancellationToken);
        using var ending = new CancellationTokenSource();
        var (failures, done) = (new ConcurrentQueue<Exception>(), 0);
        var calls = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!ending.IsCancellationRequested)
            {
                var failure = await Record.ExceptionAsync(() => SelfTestTests.ReadAsync(instance));
                if (failure is null)
                    Interlocked.Increment(ref done);
                else
                    failures.Enqueue(failure);
            }
        }, CancellationToken)).ToArray();

        foreach (var (old, next) in (ValueTuple<string, string>[])[("first", "second"), ("second", "third")])
        {
            await AclAsync(">" + next);
            credentials.Current = next;
            await AclAsync("<" + old);
            // Connections that are signed in stay so: the server's side ends them, as it does when a user is taken away.
            await admin.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "USER", "sessions");
            var before = Volatile.Read(ref done);
            await Poll.UntilAsync(() => Volatile.Read(ref done) > before + 200, TimeSpan.FromSeconds(30), "calls go on", CancellationToken);
        }

        await ending.CancelAsync();
        await Task.WhenAll(calls);
        Assert.Empty(failures);

        Task AclAsync(params string[] rules) => admin.GetDatabase().ExecuteAsync("ACL", ["SETUSER", "sessions", .. rules]);
    }

    private sealed class Credentials : DefaultOptionsProvider
    {
        private volatile string _current = "";

        public string Current
        {
            get => _current;
            set => _current = value;
        }

        public override string User => "sessions";

        public override string Password => _current;
    }
}
