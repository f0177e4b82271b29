using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>Instances die, sessions do not.</summary>
public sealed class DeathTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_button_kills_an_instance_and_the_session_lives_on()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        using var visitor = new Visitor(farm);
        await visitor.LogInAsync("Ada", Token);
        await visitor.IncrementAsync(Token);
        var victim = (await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "B");

        var page = await visitor.SendAsync("/instances/kill", "instance", "B", Token);
        Assert.Contains("Instance B was killed", page, StringComparison.Ordinal);
        Assert.False(FarmProcess.IsRunning(victim.Pid));
        for (var i = 2; i <= 20; i++)
            Assert.Equal(i, await visitor.IncrementAsync(Token));
        Assert.Equal("Ada", await visitor.WhoAmIAsync(Token));
        Assert.Equal(["A", "C"], (await visitor.InstancesAsync(Token)).Where(static instance => instance.Up).Select(static instance => instance.Name));

        await visitor.SendAsync("/instances/start", "instance", "B", Token);
        var reborn = (await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "B");
        Assert.True(reborn.Up);
        Assert.NotEqual(victim.Pid, reborn.Pid);
        await Poll.UntilAsync(async () =>
        {
            using var answer = await visitor.GetAsync("/api/whoami", Token);
            Assert.Equal("Ada\n", await answer.Content.ReadAsStringAsync(Token));
            return answer.Headers.GetValues("X-Instance").Single() == "B";
        }, Patience, "the new B to answer", Token);
    }

    [Fact]
    public async Task The_last_instance_stays()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        using var visitor = new Visitor(farm);
        foreach (var victim in (string[])["A", "B"])
            Assert.Contains($"Instance {victim} was killed", await visitor.SendAsync("/instances/kill", "instance", victim, Token), StringComparison.Ordinal);
        Assert.Contains("Instance C is the last one", await visitor.SendAsync("/instances/kill", "instance", "C", Token), StringComparison.Ordinal);
        Assert.Equal(["C"], (await visitor.InstancesAsync(Token)).Where(static instance => instance.Up).Select(static instance => instance.Name));
    }

    [Fact]
    public async Task A_crash_from_outside_is_seen_by_nobody()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        using var visitor = new Visitor(farm);
        await visitor.IncrementAsync(Token);
        var victims = (await visitor.InstancesAsync(Token)).Where(static instance => instance.Name != "A").Select(static instance => instance.Pid).ToArray();
        await ProcessSignal.SendAsync("KILL", victims);
        await Poll.UntilAsync(() => !victims.Any(FarmProcess.IsRunning), Patience, "the instances to die", Token);
        // At once: the balancer may not know yet.
        for (var i = 2; i <= 20; i++)
            Assert.Equal(i, await visitor.IncrementAsync(Token));
    }

    [Fact]
    public async Task Reads_under_way_in_an_instance_that_crashes_are_answered_by_another()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        using var visitor = new Visitor(farm);
        await visitor.LogInAsync("Ada", Token);
        var victim = (await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "C");
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var answers = 0;
        var readers = Enumerable.Range(0, 16).Select(async _ =>
        {
            while (!enough.IsCancellationRequested)
            {
                Assert.Equal("Ada", await visitor.WhoAmIAsync(Token));
                Interlocked.Increment(ref answers);
            }
        }).ToArray();

        await Poll.UntilAsync(() => Count() > 100 || HasFailed(), Patience, "the readers to read", Token);
        await ProcessSignal.SendAsync("KILL", victim.Pid);
        var then = Count();
        await Poll.UntilAsync(() => Count() > then + 200 || HasFailed(), Patience, "the readers to go on", Token);
        await enough.CancelAsync();
        await Task.WhenAll(readers);

        int Count() => Volatile.Read(ref answers);
        bool HasFailed() => readers.Any(static reader => reader.IsCompleted);
    }

    [Fact]
    public async Task When_all_are_dead_they_are_started_again()
    {
        await using var farm = await FarmProcess.StartAsync(Token);
        using var visitor = new Visitor(farm);
        await visitor.LogInAsync("Ada", Token);
        await ProcessSignal.SendAsync("KILL", [.. (await visitor.InstancesAsync(Token)).Select(static instance => instance.Pid)]);
        await Poll.UntilAsync(async () =>
        {
            using var answer = await visitor.GetAsync("/api/whoami", Token);
            return answer.IsSuccessStatusCode && await answer.Content.ReadAsStringAsync(Token) == "Ada\n";
        }, Patience, "the farm to come back", Token);
    }
}
