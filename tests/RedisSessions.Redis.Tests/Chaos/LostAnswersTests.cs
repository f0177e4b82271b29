using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.Chaos;

/// <summary>A thousand answers that never arrive, after the script has run: cut, cut in the middle, half closed, swallowed, at random.</summary>
public sealed class LostAnswersTests(RedisServerFixture redis) : EngineTests(redis)
{
    private const int Instances = 24, Losses = 1000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task After_a_thousand_lost_answers_every_counter_is_what_was_acknowledged()
    {
        var (acknowledged, counted, history, lost) = await RunAsync(handler => handler);
        var unknown = history.Operations.OfType<Pushed>().Where(push => push.Outcome == Outcome.Unknown).Select(push => push.Token).ToHashSet(StringComparer.Ordinal);
        var applied = history.Operations.OfType<Looked>().Sum(look => look.Tokens!.Count(unknown.Contains));
        TestContext.Current.TestOutputHelper?.WriteLine($"MEASURED {lost} answers lost; {acknowledged} increments acknowledged, {counted} counted; {history}");
        Assert.True(lost >= Losses, $"Only {lost} answers were lost.");
        // Whoever loses ten answers in a row is told that nobody knows; which of these few were stored, their tokens say.
        Assert.InRange(unknown.Count, 0, 10);
        Assert.Equal(acknowledged + applied, counted);
        history.Verify();
    }

    [Fact]
    public async Task Without_commit_ids_it_would_show()
    {
        var (acknowledged, counted, history, _) = await RunAsync(handler => new ForgetsCommitIds(handler), losses: 100);
        Assert.True(counted > acknowledged, $"{counted} of {acknowledged}: this test would not see a double commit.");
        Assert.Contains(history.Violations(), violation => violation.Contains("applied twice", StringComparison.Ordinal));
    }

    /// <summary>Each instance has a connection, and a session, of its own: one session that others change meanwhile has tests of its own.</summary>
    private async Task<(long Acknowledged, long Counted, SessionHistory History, int Lost)> RunAsync(Func<ISessionHandler, ISessionHandler> decorate, int losses = Losses)
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var direct = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        var history = new SessionHistory();
        var (acknowledged, counted) = (0L, 0L);
        var instances = Enumerable.Range(0, Instances).Select(_ => Create(proxy)).ToArray();
        try
        {
            await Task.WhenAll(instances.Select(instance => instance.WarmUpAsync(CancellationToken)));
            var ids = await Task.WhenAll(instances.Select(_ => direct.Manager().CreateSessionAsync("n", 0, CancellationToken)));
            proxy.Policy = command => command.IsScript && Random.Shared.Next(4) == 0 ? Any() : Fault.None;
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(instances.Select((instance, i) => Task.Run(async () =>
            {
                var manager = instance.Manager(decorate(instance.Handler()));
                while (proxy.LostAnswers < losses && Stopwatch.GetElapsedTime(started) < Longest)
                {
                    await history.PushAsync($"s{i}", 0, async token =>
                    {
                        var session = await manager.LoadAsync(ids[i], cancellationToken: CancellationToken);
                        session.Increment("n");
                        session.Push("log", token);
                        try
                        {
                            await session.CommitAsync(CancellationToken);
                        }
                        catch (SessionStoreException)
                        {
                            return Outcome.Unknown;
                        }

                        Interlocked.Increment(ref acknowledged);
                        return Outcome.Acknowledged;
                    });
                }
            }, CancellationToken)));

            proxy.Policy = static _ => Fault.None;
            for (var i = 0; i < Instances; i++)
            {
                await history.LookAsync(direct.Manager(), $"s{i}", ids[i]);
                counted += await direct.Manager().CountAsync(ids[i], "n", CancellationToken);
            }

            return (acknowledged, counted, history, proxy.LostAnswers);
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private static Fault Any() => Random.Shared.Next(40) switch
    {
        < 18 => Fault.CutReply,
        < 28 => Fault.CutInsideReply,
        < 38 => Fault.HalfClose,
        // Each costs time-outs, and the tries that follow on the same connection, because nobody tells the client.
        _ => Fault.SwallowReply,
    };

    private ServiceProvider Create(FaultProxy proxy) => Instance.Create(
        proxy.Configuration,
        options => (options.KeyPrefix, options.Tries, options.Timeout, options.TryTimeout, options.SelfTest) =
            (Prefix, 10, TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(250), false),
        options => options.CommitTimeout = TimeSpan.FromMinutes(1));
}
