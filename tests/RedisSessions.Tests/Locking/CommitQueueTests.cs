using Microsoft.Extensions.Time.Testing;
using RedisSessions.Locking;

namespace RedisSessions.Tests.Locking;

public sealed class CommitQueueTests
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);
    private readonly CommitQueue _queue = new();
    private readonly FakeTimeProvider _time = new();
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_does_not_wait()
    {
        var turn = Enter();
        Assert.True(turn.IsCompletedSuccessfully);
        Assert.Equal(1, _queue.Count);
        (await turn)!.Dispose();
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Different_sessions_do_not_wait_for_each_other()
    {
        using var first = await Enter();
        using var second = await _queue.EnterAsync(SessionKey.From(SessionId.New()), Wait, _time, Token);
        Assert.Equal(2, _queue.Count);
    }

    [Fact]
    public async Task Turns_come_in_the_order_of_asking()
    {
        var first = (await Enter())!;
        var waiting = Enumerable.Range(0, 10).Select(_ => Enter()).ToArray();
        Assert.All(waiting, turn => Assert.False(turn.IsCompleted));
        first.Dispose();
        for (var i = 0; i < waiting.Length; i++)
        {
            using var turn = await waiting[i].WaitAsync(TimeSpan.FromSeconds(30), Token);
            Assert.All(waiting[(i + 1)..], later => Assert.False(later.IsCompleted));
        }

        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Who_comes_back_is_first_in_line()
    {
        var first = (await Enter())!;
        var waiting = Enter();
        var again = _queue.EnterAsync(_key, Wait, int.MaxValue, first: true, _time, Token).AsTask();
        first.Dispose();
        using (await again.WaitAsync(TimeSpan.FromSeconds(30), Token))
            Assert.False(waiting.IsCompleted);
        (await waiting.WaitAsync(TimeSpan.FromSeconds(30), Token))!.Dispose();
    }

    [Fact]
    public async Task A_turn_that_does_not_come_in_time_is_none_and_the_line_goes_on()
    {
        var first = (await Enter())!;
        var late = Enter();
        _time.Advance(TimeSpan.FromSeconds(5));
        var patient = Enter();
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Null(await late.WaitAsync(TimeSpan.FromSeconds(30), Token));
        first.Dispose();
        (await patient.WaitAsync(TimeSpan.FromSeconds(30), Token))!.Dispose();
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Who_is_cancelled_leaves_the_line()
    {
        var first = (await Enter())!;
        using var cancellation = new CancellationTokenSource();
        var cancelled = _queue.EnterAsync(_key, Wait, _time, cancellation.Token).AsTask();
        var next = Enter();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        first.Dispose();
        (await next.WaitAsync(TimeSpan.FromSeconds(30), Token))!.Dispose();
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task A_line_whose_waiters_have_all_left_is_forgotten()
    {
        var first = (await Enter())!;
        using var cancellation = new CancellationTokenSource();
        var cancelled = _queue.EnterAsync(_key, Wait, _time, cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        first.Dispose();
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public async Task Who_waited_learns_what_was_stored_meanwhile()
    {
        var record = new SessionRecord { Version = new(7), CreatedAt = default, AbsoluteDeadline = default };
        var first = (await Enter())!;
        var next = Enter();
        Assert.Null(first.Newest);
        first.Newest = record;
        first.Dispose();
        using var turn = (await next.WaitAsync(TimeSpan.FromSeconds(30), Token))!;
        Assert.Same(record, turn.Newest);
    }

    [Fact]
    public async Task Nobody_learns_from_a_line_that_was_empty_meanwhile()
    {
        var first = (await Enter())!;
        first.Newest = new SessionRecord { Version = new(7), CreatedAt = default, AbsoluteDeadline = default };
        first.Dispose();
        using var turn = (await Enter())!;
        Assert.Null(turn.Newest);
    }

    [Fact]
    public async Task One_at_a_time_whatever_happens_and_nothing_is_left_over()
    {
        // Turns, timeouts and cancellations on several threads at once; the random numbers only choose which of them.
        var inside = 0;
        var turns = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 500; i++)
            {
                using var cancellation = new CancellationTokenSource();
                var entering = _queue.EnterAsync(_key, Wait, _time, cancellation.Token).AsTask();
                if (random.Next(4) == 0)
                    await cancellation.CancelAsync();
                if (random.Next(8) == 0)
                    _time.Advance(Wait);
                try
                {
                    using var turn = await entering;
                    if (turn is null)
                        continue;
                    Assert.Equal(1, Interlocked.Increment(ref inside));
                    await Task.Yield();
                    Interlocked.Increment(ref turns);
                    Interlocked.Decrement(ref inside);
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                }
            }
        }, Token))).WaitAsync(TimeSpan.FromSeconds(60), Token);
        Assert.Equal(0, _queue.Count);
        Assert.True(turns > 100, $"only {turns} turns");
    }

    private Task<CommitQueue.Turn?> Enter() => _queue.EnterAsync(_key, Wait, _time, Token).AsTask();
}
