using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Redis.Tests.Linearizability;

/// <summary>
/// Several instances, each with a connection of its own, read, set and increment one value of one session at random. Whatever they saw must be
/// explained by one order of all that they did.
/// </summary>
public abstract class LinearizabilityTests : EngineTests
{
    private const int Instances = 4, WorkersEach = 2, OperationsEach = 3, SessionsAtOnce = 4, LeastHistories = 40;
    private const string Value = "register.value";
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromSeconds(60);

    protected LinearizabilityTests(RedisServerFixture redis) : base(redis) { }

    protected LinearizabilityTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task What_several_instances_see_of_one_session_is_linearizable()
    {
        int histories = 0, overlapping = 0;
        var bad = await HistoriesAsync(
            handler => handler,
            history =>
            {
                histories++;
                overlapping += Overlaps(history) ? 1 : 0;
                return LinearizabilityChecker.IsLinearizable(history, initial: 0);
            },
            elapsed => elapsed < Duration || histories < LeastHistories);

        Assert.True(bad is null, $"Not linearizable:\n{Text(bad)}");
        Assert.True(overlapping > histories / 2, $"Only in {overlapping} of {histories} histories did anything overlap: that proves little.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{histories} histories of {Instances * WorkersEach * OperationsEach} operations");
    }

    [Fact]
    public async Task If_the_version_were_ignored_a_history_would_show_it()
    {
        var bad = await HistoriesAsync(
            handler => new IgnoresTheVersion(handler), history => LinearizabilityChecker.IsLinearizable(history, initial: 0), elapsed => elapsed < Longest);
        Assert.True(bad is not null, "This test would not see it if updates were lost.");
    }

    /// <summary>Makes histories until one is refused, which it gives, or until it has been long enough.</summary>
    private async Task<IReadOnlyList<Operation>?> HistoriesAsync(
        Func<ISessionHandler, ISessionHandler> decorate, Func<IReadOnlyList<Operation>, bool> accept, Func<TimeSpan, bool> goOn)
    {
        var instances = Enumerable.Range(0, Instances).Select(_ => Create()).ToArray();
        try
        {
            var managers = instances.Select(instance => instance.Manager(decorate(instance.Handler()))).ToArray();
            var started = Stopwatch.GetTimestamp();
            while (goOn(Stopwatch.GetElapsedTime(started)))
            {
                var histories = await Task.WhenAll(Enumerable.Range(0, SessionsAtOnce).Select(_ => HistoryAsync(managers)));
                if (Array.Find(histories, history => !accept(history)) is { } refused)
                    return refused;
            }

            return null;
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private static async Task<IReadOnlyList<Operation>> HistoryAsync(SessionManager[] managers)
    {
        var id = await managers[0].CreateSessionAsync(Value, 0, CancellationToken);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var workers = Enumerable.Range(0, managers.Length * WorkersEach).Select(worker => Task.Run(async () =>
        {
            var random = new Random(Random.Shared.Next());
            var operations = new List<Operation>();
            await go.Task;
            for (var i = 0; i < OperationsEach; i++)
                operations.Add(await OperateAsync(managers[worker % managers.Length], id, random));
            return operations;
        })).ToArray();
        go.SetResult();
        return [.. (await Task.WhenAll(workers)).SelectMany(operations => operations)];
    }

    private static async Task<Operation> OperateAsync(SessionManager manager, SessionId id, Random random)
    {
        var kind = (OperationKind)random.Next(3);
        // Values that are set are far apart, so that a mixed-up one is not taken for another by accident.
        var value = random.NextInt64(1_000_000) * 1000;
        var invoked = Stopwatch.GetTimestamp();
        var session = await manager.LoadAsync(id, cancellationToken: CancellationToken);
        switch (kind)
        {
            case OperationKind.Read:
                value = session.Get<long>(Value);
                break;
            case OperationKind.Set:
                session[Value] = value;
                await session.CommitAsync(CancellationToken);
                break;
            default:
                value = await session.UpdateAsync(session => session.Increment(Value), CancellationToken);
                break;
        }

        return new Operation(kind, value, invoked, Stopwatch.GetTimestamp());
    }

    private static bool Overlaps(IReadOnlyList<Operation> history) =>
        history.Count(one => history.Any(other => other != one && other.Invoked < one.Returned && one.Invoked < other.Returned)) > history.Count / 2;

    private static string Text(IEnumerable<Operation>? history) => string.Join('\n', (history ?? []).OrderBy(operation => operation.Invoked));

    private ServiceProvider Create() => Instance.Create(
        Configuration, options => options.KeyPrefix = Prefix, options => (options.CommitTries, options.CommitTimeout) = (1000, TimeSpan.FromMinutes(1)));
}

public sealed class RedisLinearizabilityTests(RedisServerFixture redis) : LinearizabilityTests(redis);

public sealed class GarnetLinearizabilityTests(GarnetFixture garnet) : LinearizabilityTests(garnet);
