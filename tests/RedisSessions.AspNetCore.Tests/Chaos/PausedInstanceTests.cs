using System.Net;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.AspNetCore.Tests.Chaos;

/// <summary>An instance that stands still in the middle of its requests, and goes on as if nothing had happened: a long pause of a machine, or of its collector.</summary>
public sealed class PausedInstanceTests(StoreFixture store)
{
    private const int Sessions = 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_it_commits_five_seconds_late_undoes_nothing_that_others_have_done_since()
    {
        await using var farm = await LoadedFarm.StartAsync(3, Sessions,
        [
            "--Sessions:Handler=redis", $"--Sessions:Redis:Configuration={store.Configuration}", "--Sessions:LeaseDuration=00:00:01",
        ]);
        // Warm, so that what is sent to it is read at once.
        for (var session = 0; session < Sessions; session++)
            Assert.Equal(Outcome.Acknowledged, (await farm.SendAsync("naive", session, instance: 2)).Outcome);
        Assert.Equal(Outcome.Acknowledged, (await farm.SendAsync("exclusive", 0, instance: 2)).Outcome);
        // It has read these sessions and will commit to them in two seconds; for one of them it holds the lease as well.
        var holder = farm.SendAsync("exclusive?delay=2000", 0, instance: 2);
        var late = Enumerable.Range(1, Sessions - 1).Select(session => farm.SendAsync("naive?delay=2000", session, instance: 2)).ToArray();
        // What was sent after them and has been answered was read after them; if not, some are acknowledged below, and that is red.
        for (var i = 0; i < 20; i++)
            await farm.SendAsync("read", 0, instance: 2);
        await Task.Delay(300, Token);
        await farm.Instances[2].SignalAsync("STOP");
        var goOn = true;
        var load = Task.WhenAll(Enumerable.Range(0, 6).Select(visitor => Task.Run(async () =>
        {
            for (var i = visitor; Volatile.Read(ref goOn); i++)
            {
                var session = Random.Shared.Next(Sessions);
                await (i % 2 == 0 ? farm.PushAsync(session, i / 2 % 2) : farm.LookAsync(session, i / 2 % 2));
                await Task.Delay(10, Token);
            }
        }, Token)));
        // The holder's lease ends after a second, and others get their turn.
        var turn = await farm.SendAsync("exclusive", 0, instance: 0);
        Assert.Equal(Outcome.Acknowledged, turn.Outcome);
        // All of them change what the late ones have read.
        for (var session = 0; session < Sessions; session++)
            Assert.Equal(Outcome.Acknowledged, (await farm.SendAsync("add", session, instance: 1)).Outcome);
        await Task.Delay(4000, Token);
        Assert.All(late, request => Assert.False(request.IsCompleted));
        await farm.Instances[2].SignalAsync("CONT");

        var answers = await Task.WhenAll(late);
        var held = await holder;
        Volatile.Write(ref goOn, false);
        await load;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"MEASURED paused instance: {answers.Count(answer => answer.Outcome == Outcome.Refused)} of {late.Length} late commits refused, the late holder of the lease {held.Outcome}; {farm.History}");
        // They decided on what they had read, and that has changed.
        Assert.All(answers, answer => Assert.NotEqual(Outcome.Acknowledged, answer.Outcome));
        Assert.Contains(answers, answer => answer.Outcome == Outcome.Refused);
        Assert.NotEqual(Outcome.Acknowledged, held.Outcome);
        Assert.DoesNotContain(farm.Samples, sample => sample.Status == 0);
        // The one of warming up, the one that was added, and this one.
        for (var session = 1; session < Sessions; session++)
            Assert.Equal("3", (await farm.SendAsync("incr", session, 0)).Body);
        await farm.VerifyAsync();
    }
}
