using HdrHistogram;
using Microsoft.Extensions.Time.Testing;
using RedisSessions.LoadTests.Running;
using RedisSessions.LoadTests.Scenarios;
using RedisSessions.LoadTests.Servers;

namespace RedisSessions.LoadTests.Tests.Running;

public sealed class LoadRunnerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task In_an_open_model_everybody_who_comes_while_the_site_stalls_has_waited()
    {
        var scenario = new Stall();
        // One worker, ten steps a second for a second; the first stalls for that second.
        var run = new LoadRunner(_time).RunAsync(scenario, new LoadModel(1, 10), TimeSpan.FromSeconds(1), watch: null, Token);
        await scenario.Begun.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        scenario.Release();
        var record = await run.WaitAsync(Token);

        Assert.Equal(10, record.Steps);
        // A second for the first, nine tenths for the second, and so on: nobody's wait is hidden.
        Assert.InRange(record.Latency.GetMaxValue(), 999_000, 1_001_000);
        Assert.InRange(record.Latency.GetValueAtPercentile(50), 499_000, 501_000);
        Assert.InRange(record.Latency.GetValueAtPercentile(1), 99_000, 101_000);
        Assert.InRange(record.Lateness.GetMaxValue(), 899_000, 901_000);
    }

    [Fact]
    public async Task In_a_closed_model_a_step_begins_when_the_one_before_has_ended()
    {
        var scenario = new Stall();
        var run = new LoadRunner(_time).RunAsync(scenario, LoadModel.Closed(1), TimeSpan.FromSeconds(1), watch: null, Token);
        await scenario.Begun.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(1));
        scenario.Release();
        var record = await run.WaitAsync(Token);
        Assert.Equal((1, 1), (record.Steps, record.Latency.TotalCount));
        Assert.InRange(record.Latency.GetMaxValue(), 999_000, 1_001_000);
    }

    [Fact]
    public async Task An_open_model_begins_as_many_steps_as_its_rate_says_however_fast_they_are()
    {
        var scenario = new Counting();
        var run = new LoadRunner(_time).RunAsync(scenario, new LoadModel(8, 1000), TimeSpan.FromSeconds(1), watch: null, Token);
        Assert.Equal((1000, 1000), ((await PassAsync(run)).Steps, scenario.Steps));
    }

    [Fact]
    public async Task Servers_are_disturbed_once_and_not_before_the_middle()
    {
        var scenario = new Stall();
        var run = new LoadRunner(_time).RunAsync(scenario, LoadModel.Closed(1), TimeSpan.FromSeconds(10), watch: null, Token);
        await scenario.Begun.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(0, scenario.Disturbed);
        _time.Advance(TimeSpan.FromSeconds(5.2));
        scenario.Release();
        await run.WaitAsync(Token);
        Assert.Equal(1, scenario.Disturbed);
    }

    [Fact]
    public async Task A_step_that_is_never_answered_ends_the_run_and_counts_as_a_failure()
    {
        var scenario = new Stall();
        var run = new LoadRunner(_time).RunAsync(scenario, LoadModel.Closed(1), TimeSpan.FromSeconds(1), watch: null, Token);
        await scenario.Begun.WaitAsync(Token);
        _time.Advance(TimeSpan.FromSeconds(32));
        var record = await run.WaitAsync(Token);
        Assert.Equal([KeyValuePair.Create("no answer", 1L)], record.Failures);
    }

    [Fact]
    public async Task Failures_are_counted_by_what_went_wrong_and_when()
    {
        var scenario = new Counting { Failure = "status 503" };
        var run = new LoadRunner(_time).RunAsync(scenario, LoadModel.Open(10), TimeSpan.FromSeconds(1), watch: null, Token);
        var record = await PassAsync(run);
        Assert.Equal([KeyValuePair.Create("status 503", 10L)], record.Failures);
        Assert.Equal(10, record.Seconds.Sum(second => second.Failed));
        Assert.Equal((10L, 10L), (record.Progress(TimeSpan.FromSeconds(1)).Steps, record.Progress(TimeSpan.FromSeconds(1)).Failed));
    }

    /// <summary>Lets time pass until the run is over. In small steps: whoever begins to wait while a large one is taken would wait for the next.</summary>
    private async Task<RunRecord> PassAsync(Task<RunRecord> run)
    {
        while (!run.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Delay(5, Token);
        }

        return await run;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Its first step waits until it is let go.</summary>
    private sealed class Stall : IScenario
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously), _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _disturbed;

        public Task Begun => _begun.Task;

        public int Disturbed => Volatile.Read(ref _disturbed);

        public void Release() => _released.SetResult();

        public Task PrepareAsync(ITarget target, CancellationToken cancellationToken) => Task.CompletedTask;

        public async ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
        {
            _begun.TrySetResult();
            await _released.Task.WaitAsync(cancellationToken);
            return StepOutcome.Ok;
        }

        public Task DisturbAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _disturbed);
            return Task.CompletedTask;
        }

        public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Promise>>([]);
    }

    private sealed class Counting : IScenario
    {
        private int _steps;

        public int Steps => Volatile.Read(ref _steps);

        public string? Failure { get; init; }

        public Task PrepareAsync(ITarget target, CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask<StepOutcome> StepAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _steps);
            return ValueTask.FromResult(new StepOutcome(Failure));
        }

        public Task<IReadOnlyList<Promise>> VerifyAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Promise>>([]);
    }
}
