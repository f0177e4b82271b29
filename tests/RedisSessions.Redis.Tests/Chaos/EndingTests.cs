using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.Chaos;

/// <summary>Logouts and logins in a race with writes, while answers are lost: what has ended stays so, what was acknowledged goes along.</summary>
public sealed class EndingTests(RedisServerFixture redis) : EngineTests(redis)
{
    private const int Rounds = 60, Instances = 6, Writes = 4;

    [Fact]
    public async Task A_destroyed_session_never_comes_back_and_a_replaced_id_is_dead()
    {
        var (history, faults) = await RunAsync(handler => handler);
        TestContext.Current.TestOutputHelper?.WriteLine($"MEASURED {faults} faults; {history}");
        history.Verify();
        Assert.True(faults >= Rounds, $"Only {faults} faults: that proves little.");
        Assert.Contains(history.Operations, operation => operation is Ended { How: SessionEnd.Destroyed, Outcome: Outcome.Acknowledged });
        Assert.Contains(history.Operations, operation => operation is Ended { How: SessionEnd.Replaced, Outcome: Outcome.Acknowledged });
        Assert.Contains(history.Operations, operation => operation is Pushed { Outcome: Outcome.Refused });
    }

    [Fact]
    public async Task If_a_write_could_undo_an_end_it_would_show()
    {
        var (history, _) = await RunAsync(handler => new WritesOverTheEnd(handler));
        Assert.Contains(history.Violations(), violation => violation.Contains("back:", StringComparison.Ordinal) || violation.Contains("alive:", StringComparison.Ordinal));
    }

    private async Task<(SessionHistory History, int Faults)> RunAsync(Func<ISessionHandler, ISessionHandler> decorate)
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var direct = Instance.Create(Configuration, options => options.KeyPrefix = Prefix);
        var history = new SessionHistory();
        var instances = Enumerable.Range(0, Instances).Select(_ => Create(proxy)).ToArray();
        try
        {
            await Task.WhenAll(instances.Select(instance => instance.WarmUpAsync(CancellationToken)));
            var managers = instances.Select(instance => instance.Manager(decorate(instance.Handler()))).ToArray();
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            {
                while (Interlocked.Increment(ref next) is < Rounds and var round)
                    await RoundAsync(round);
            }, CancellationToken)));
            return (history, proxy.Faults);

            async Task RoundAsync(int round)
            {
                var (name, how) = ($"s{round}", round % 2 == 0 ? SessionEnd.Destroyed : SessionEnd.Replaced);
                var id = await direct.Manager().CreateSessionAsync("n", 0, CancellationToken);
                proxy.Policy = command => !command.IsScript ? Fault.None
                    : Random.Shared.Next(8) switch { 0 => Fault.CutReply, 1 => Fault.Refused, 2 => Fault.ArriveLate(Task.Delay(Random.Shared.Next(200), CancellationToken)), _ => Fault.None };
                var ending = Random.Shared.Next(30);
                var writers = managers[1..].Select(manager => Task.Run(async () =>
                {
                    for (var i = 0; i < Writes; i++)
                    {
                        await history.PushAsync(manager, name, id);
                        await history.LookAsync(manager, name, id);
                    }
                }, CancellationToken)).ToArray();
                await Task.Delay(ending, CancellationToken);
                var (outcome, after) = await history.EndAsync(managers[0], name, id, how);
                await Task.WhenAll(writers);
                // Whoever was on his way has arrived.
                await Task.Delay(250, CancellationToken);
                await history.LookAsync(direct.Manager(), name, id);
                if (outcome == Outcome.Acknowledged && how == SessionEnd.Replaced)
                    await history.LookAsync(direct.Manager(), name, after, number: 1);
            }
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private ServiceProvider Create(FaultProxy proxy) => Instance.Create(
        proxy.Configuration, options => (options.KeyPrefix, options.TryTimeout, options.SelfTest) = (Prefix, TimeSpan.FromMilliseconds(500), false));

    /// <summary>Planted bug: a closed record is no obstacle.</summary>
    private sealed class WritesOverTheEnd(ISessionHandler inner) : HandlerDecorator(inner)
    {
        public override async ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            var result = await Inner.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
            if (result is not CommitResult.Conflict { Current: { State: not SessionState.Live } closed } || record.State != SessionState.Live)
                return result;
            var over = new SessionRecord
            {
                Version = closed.Version.Next(record.CommitIds[0]),
                State = record.State,
                CreatedAt = record.CreatedAt,
                AbsoluteDeadline = record.AbsoluteDeadline,
                CommitIds = record.CommitIds,
                PayloadFormat = record.PayloadFormat,
                Payload = record.Payload,
            };
            return await Inner.CommitAsync(key, closed.Version, over, idleTimeout, cancellationToken);
        }
    }
}
