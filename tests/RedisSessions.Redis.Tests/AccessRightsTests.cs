using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>The user that <c>docs/security.md</c> makes in Redis may do all that sessions need. On a server of our own.</summary>
public sealed class AccessRightsTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_user_of_the_documentation_may_do_all_that_sessions_need_and_nothing_outside()
    {
        if (await RedisProcess.TryStartAsync([], CancellationToken) is not { } redis)
        {
            Assert.Skip("no redis-server on the PATH: access rights are tried on a server of our own");
            return;
        }

        await using var _ = redis;
        await using var admin = await ConnectionMultiplexer.ConnectAsync($"{redis.Configuration},allowAdmin=true");
        var words = Documented();
        await admin.GetDatabase().ExecuteAsync(words[0], [.. words[1..]]);
        var configuration = $"{redis.Configuration},user=sessions,password=password";
        await using var instance = Instance.Create(configuration);
        await using var other = Instance.Create(configuration);

        await instance.StartAsync(CancellationToken);
        var (handler, key, idle) = (instance.Handler(), SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(20));
        var woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (await ((ISessionLeases)other.Handler()).WatchAsync(key, () => woken.TrySetResult(), CancellationToken))
        {
            var (leases, lease) = ((ISessionLeases)handler, new SessionLease("owner0123", TimeSpan.FromSeconds(30)));
            Assert.Null(await leases.TryAcquireAsync(key, lease, CancellationToken));
            Assert.True(await leases.RenewAsync(key, lease, CancellationToken));
            Assert.NotNull(await leases.TryAcquireAsync(key, lease with { Owner = "other" }, CancellationToken));
            await leases.ReleaseAsync(key, lease, CancellationToken);
            await woken.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken);
        }

        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(key, SessionVersion.None, Of(1), idle, CancellationToken));
        Assert.NotNull(await handler.ReadAsync(key, idle, CancellationToken));
        Assert.IsType<CommitResult.Committed>(await handler.CommitAsync(key, new SessionVersion(1), Of(2), idle, CancellationToken));
        Assert.IsType<CommitResult.Conflict>(await handler.CommitAsync(key, new SessionVersion(1), Of(2), idle, CancellationToken));
        Assert.Single(await ((ISessionIndex)handler).FindAsync("ann", CancellationToken));
        Assert.True(await handler.DeleteAsync(key, CancellationToken));

        // There is no replica: it is told so by the server, and not that it must not ask.
        await using var waits = Instance.Create(configuration, options => options.MinReplicas = 1);
        var e = await Assert.ThrowsAsync<SessionStoreException>(async () => await waits.Handler().CommitAsync(key, SessionVersion.None, Of(1), idle, CancellationToken));
        Assert.Contains("0 of 1 replicas", e.Message, StringComparison.Ordinal);

        await using var elsewhere = Instance.Create(configuration, options => (options.KeyPrefix, options.SelfTest) = ("elsewhere:", false));
        await Assert.ThrowsAsync<SessionStoreException>(async () => await elsewhere.Handler().ReadAsync(key, idle, CancellationToken));
        // What nobody waits for would fail in silence; the server has written down what it refused.
        var log = (RedisResult[])(await admin.GetDatabase().ExecuteAsync("ACL", "LOG"))!;
        var refused = log.Select(entry => entry.ToDictionary()["object"].ToString()).Where(name => !name.StartsWith("__Booksleeve", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, name => Assert.StartsWith("elsewhere:", name, StringComparison.Ordinal));
    }

    /// <summary>The command as the document has it, without the prompt's line ends.</summary>
    internal static string[] Documented()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, "docs", "security.md");
            if (!File.Exists(path))
                continue;
            var text = File.ReadAllText(path);
            var from = text.IndexOf("ACL SETUSER", StringComparison.Ordinal);
            return text[from..text.IndexOf("```", from, StringComparison.Ordinal)].Split([' ', '\n', '\\'], StringSplitOptions.RemoveEmptyEntries);
        }

        throw new InvalidOperationException("docs/security.md is not above the tests.");
    }

    private static SessionRecord Of(ulong version)
    {
        var record = Instance.Record(version);
        return new()
        {
            Version = record.Version,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            CommitIds = record.CommitIds,
            PayloadFormat = record.PayloadFormat,
            Payload = record.Payload,
            IdleTimeout = TimeSpan.FromDays(1),
            UserId = "ann",
            IndexUser = true,
        };
    }
}
