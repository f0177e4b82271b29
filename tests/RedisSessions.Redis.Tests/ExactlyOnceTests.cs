using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests;

/// <summary>A commit whose answer is lost on the way is tried again and still counts once.</summary>
public abstract class ExactlyOnceTests : EngineTests
{
    private const int Increments = 200;

    protected ExactlyOnceTests(RedisServerFixture redis) : base(redis) { }

    protected ExactlyOnceTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task Two_hundred_increments_are_two_hundred_when_the_connection_is_cut_after_every_seventh_commit()
    {
        var (count, faults) = await IncrementAsync(Fault.CutReply, every: 7, handler => handler);
        Assert.Equal(Increments, count);
        Assert.True(faults >= Increments / 7, $"Only {faults} answers were lost.");
    }

    [Fact]
    public async Task Two_hundred_increments_are_two_hundred_when_every_eightieth_answer_never_comes()
    {
        var (count, faults) = await IncrementAsync(Fault.SwallowReply, every: 80, handler => handler);
        Assert.Equal(Increments, count);
        Assert.True(faults >= Increments / 80, $"Only {faults} answers were lost.");
    }

    [Fact]
    public async Task Without_commit_ids_every_lost_answer_would_count_twice()
    {
        var (count, faults) = await IncrementAsync(Fault.CutReply, every: 7, handler => new ForgetsCommitIds(handler));
        // Not exactly twice each: some of the lost answers were those of a second try.
        Assert.True(faults >= Increments / 7, $"Only {faults} answers were lost.");
        Assert.True(count > Increments + faults / 2, $"{count} of {Increments} with {faults} answers lost: this test would not see a double commit.");
    }

    [Fact]
    public async Task A_creation_whose_answer_is_lost_creates_one_session()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy);
        await instance.StartAsync(CancellationToken);
        var before = proxy.Count("EVAL");
        proxy.Policy = command => command.IsScript && command.Number == before + 1 ? Fault.CutReply : Fault.None;

        var id = await instance.Manager().CreateSessionAsync("n", 1, CancellationToken);

        Assert.Equal(1, proxy.Faults);
        Assert.Equal(1, await instance.Manager().CountAsync(id, "n", CancellationToken));
    }

    [Fact]
    public async Task A_destroy_whose_answer_is_lost_is_a_destroy()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy);
        var id = await instance.Manager().CreateSessionAsync("n", 1, CancellationToken);
        var before = proxy.Count("EVAL");
        proxy.Policy = command => command.IsScript && command.Number == before + 1 ? Fault.CutReply : Fault.None;

        var session = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        session.Destroy(expireCookie: true);
        await session.CommitAsync(CancellationToken);

        Assert.Equal(1, proxy.Faults);
        Assert.Equal(SessionCookieAction.Expire, SessionManager.CookieFor(session));
        Assert.True((await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken)).IsNew);
    }

    [Fact]
    public async Task When_more_commits_followed_than_a_record_remembers_the_outcome_is_reported_as_unknown_and_nothing_is_applied_again()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var unlucky = Create(proxy);
        await using var other = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        var id = await other.Manager().CreateSessionAsync("n", 0, CancellationToken);
        var session = await unlucky.Manager().LoadAsync(id, cancellationToken: CancellationToken);

        // The first try is stored and its answer lost; the second one is held up until nine others have committed.
        var before = proxy.Count("EVAL");
        var released = new TaskCompletionSource();
        proxy.Policy = command => !command.IsScript ? Fault.None
            : command.Number == before + 1 ? Fault.CutReply
            : command.Number == before + 2 ? Fault.HoldUntil(released.Task) : Fault.None;
        session.Increment("n");
        var commit = session.CommitAsync(CancellationToken).AsTask();
        await Poll.UntilAsync(() => proxy.Faults == 2 || commit.IsCompleted, Patience, "the second try is on its way", CancellationToken);
        for (var i = 0; i <= SessionRecord.MaxCommitIds; i++)
            await other.Manager().IncrementAsync(id, "n", CancellationToken);
        released.SetResult();

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => commit);
        Assert.Contains("cannot be told", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1 + SessionRecord.MaxCommitIds + 1, await other.Manager().CountAsync(id, "n", CancellationToken));
    }

    [Fact]
    public async Task Cancelled_after_its_answer_was_lost_a_commit_is_still_settled()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy);
        var key = SessionKey.From(SessionId.New());
        await instance.StartAsync(CancellationToken);
        using var cancelling = new CancellationTokenSource();
        var before = proxy.Count("EVAL");
        proxy.Policy = command =>
        {
            if (!command.IsScript || command.Number != before + 1)
                return Fault.None;
            // On its way, so it is too late.
            cancelling.Cancel();
            return Fault.CutReply;
        };
        var record = Instance.Record(1);

        var result = await instance.Handler().CommitAsync(key, SessionVersion.None, record, TimeSpan.FromMinutes(1), cancelling.Token);

        Assert.True(result.Stored(record), $"{result}");
        Assert.Equal(1, proxy.Faults);
    }

    private async Task<(long Count, int Faults)> IncrementAsync(Fault fault, int every, Func<ISessionHandler, ISessionHandler> decorate)
    {
        await using var proxy = FaultProxy.Start(Configuration);
        // Silence ends with a time-out, and a silent connection is only replaced after several of them.
        await using var instance = Create(proxy, fault == Fault.SwallowReply ? 500 : 5000);
        await instance.WarmUpAsync(CancellationToken);
        var manager = instance.Manager(decorate(instance.Handler()));
        var id = await manager.CreateSessionAsync("n", 0, CancellationToken);
        proxy.Policy = command => command.IsScript && command.Number % every == 0 ? fault : Fault.None;
        for (var i = 0; i < Increments; i++)
            await manager.IncrementAsync(id, "n", CancellationToken);
        var faults = proxy.Faults;
        proxy.Policy = static _ => Fault.None;
        return (await manager.CountAsync(id, "n", CancellationToken), faults);
    }

    private ServiceProvider Create(FaultProxy proxy, int timeout = 5000) => Instance.Create(
        proxy.Configuration,
        options => (options.KeyPrefix, options.Tries, options.Timeout, options.TryTimeout) =
            (Prefix, 10, TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(timeout)),
        options => options.CommitTimeout = TimeSpan.FromMinutes(1));
}

public sealed class RedisExactlyOnceTests(RedisServerFixture redis) : ExactlyOnceTests(redis);

public sealed class GarnetExactlyOnceTests(GarnetFixture garnet) : ExactlyOnceTests(garnet);
