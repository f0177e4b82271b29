using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Tests.Http;

/// <summary>
/// A failover to a replica that was behind takes back commits that were acknowledged. A request that has read one of them is slow: other
/// commits are
/// acknowledged in the meantime, and their count is the same. The slow commit must not take the place of theirs.
/// </summary>
public sealed class RollBackTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="lost">How many acknowledged commits are taken back.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_commit_that_has_read_what_was_taken_back_is_refused(int lost)
    {
        await using var redis = await StartAsync();
        await using var farm = Farm(redis);
        var manager = farm.GetRequiredService<SessionManager>();
        var (id, slow) = await RollBackUnderAsync(redis, manager, lost, session =>
        {
            Assert.Equal($"old {lost}", session.Get<string>("owner"));
            session["owner"] = "slow";
        });

        var refused = await Assert.ThrowsAsync<SessionConflictException>(async () => await slow.CommitAsync(Token));

        Assert.Equal("owner", refused.Path);
        await AssertNewCommitsAreThereAsync(manager, id, lost);
    }

    /// <param name="lost">How many acknowledged commits are taken back.</param>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_blind_commit_from_before_goes_on_top_of_those_from_after(int lost)
    {
        await using var redis = await StartAsync();
        await using var farm = Farm(redis);
        var manager = farm.GetRequiredService<SessionManager>();
        var (id, slow) = await RollBackUnderAsync(redis, manager, lost, static session => session.Push("blind", "slow"));

        await slow.CommitAsync(Token);

        var session = await AssertNewCommitsAreThereAsync(manager, id, lost);
        Assert.Equal(["slow"], (IReadOnlyList<object?>)session["blind"]!);
    }

    /// <summary>Commits, remembers, commits what will be lost, loads a slow request, goes back, and commits as often again.</summary>
    private static async Task<(SessionId Id, Session Slow)> RollBackUnderAsync(
        RedisProcess redis, SessionManager manager, int lost, Action<Session> work)
    {
        var session = manager.Create();
        session["owner"] = "nobody";
        await session.CommitAsync(Token);
        Assert.True(SessionId.TryParse(session.Id, out var id));
        Secrets.Note(session.Id);
        await RollBack.RememberAsync(redis, Token);
        await CommitAsync(manager, id, "old", lost);
        var slow = await manager.LoadAsync(id, cancellationToken: Token);
        work(slow);

        await RollBack.ReturnAsync(redis, Token);

        Assert.Equal("nobody", (await manager.LoadAsync(id, cancellationToken: Token)).Get<string>("owner"));
        await CommitAsync(manager, id, "new", lost);
        return (id, slow);
    }

    private static async Task CommitAsync(SessionManager manager, SessionId id, string what, int count)
    {
        for (var i = 1; i <= count; i++)
        {
            var session = await manager.LoadAsync(id, cancellationToken: Token);
            session["owner"] = $"{what} {i}";
            session.Push("log", $"{what} {i}");
            await session.CommitAsync(Token);
        }
    }

    private static async Task<Session> AssertNewCommitsAreThereAsync(SessionManager manager, SessionId id, int count)
    {
        var session = await manager.LoadAsync(id, cancellationToken: Token);
        Assert.Equal($"new {count}", session.Get<string>("owner"));
        Assert.Equal(Enumerable.Range(1, count).Select(i => $"new {i}"), ((IReadOnlyList<object?>)session["log"]!).Cast<string>());
        return session;
    }

    private static async Task<RedisProcess> StartAsync()
    {
        var redis = await RedisProcess.TryStartAsync(["--enable-debug-command", "yes"], Token);
        if (redis is null)
            Assert.Skip(RedisServer.None);
        return redis;
    }

    private static ServiceProvider Farm(RedisProcess redis)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.AddRedisSessionsCore().AddRedis(redis.Configuration);
        return services.BuildServiceProvider();
    }
}
