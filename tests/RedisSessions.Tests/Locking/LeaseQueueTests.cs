using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RedisSessions.Locking;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Locking;

/// <summary>The way to exclusive access. Two queues over one store are two processes.</summary>
public sealed class LeaseQueueTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly RedisSessionsOptions _options = new() { MaxWaiters = 3, LeaseWait = TimeSpan.FromSeconds(20), LeaseDuration = TimeSpan.FromSeconds(9) };
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly SessionKey _key = SessionKey.From(SessionId.New());
    private readonly TestLeases _store;
    private readonly LeaseQueue _here, _there;

    public LeaseQueueTests()
    {
        _store = new TestLeases(_time);
        (_here, _there) = (New(), New());
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_finds_nobody_asks_the_store_once_and_gives_back_once()
    {
        await using (await _here.EnterAsync(_key, Token))
            Assert.True(_store.IsHeld(_key));
        Assert.False(_store.IsHeld(_key));
        Assert.Equal<string>(["acquire", "release"], _store.Calls);
    }

    [Fact]
    public async Task Within_a_process_turns_come_in_the_order_of_asking_and_only_the_head_asks_the_store()
    {
        var first = await _here.EnterAsync(_key, Token);
        var waiting = Enumerable.Range(0, 3).Select(_ => Enter(_here)).ToArray();
        Assert.Equal<string>(["acquire"], _store.Calls);
        await first.DisposeAsync();
        for (var i = 0; i < waiting.Length; i++)
        {
            var lease = await waiting[i].WaitAsync(Patience, Token);
            Assert.All(waiting[(i + 1)..], later => Assert.False(later.IsCompleted));
            await lease.DisposeAsync();
        }
    }

    [Fact]
    public async Task Within_a_process_a_lease_is_passed_on_and_the_store_is_asked_once()
    {
        var lease = await _here.EnterAsync(_key, Token);
        var waiting = Enumerable.Range(0, 3).Select(_ => Enter(_here)).ToArray();
        foreach (var next in waiting)
        {
            await lease.DisposeAsync();
            lease = await next.WaitAsync(Patience, Token);
            Assert.True(_store.IsHeld(_key));
        }

        await lease.DisposeAsync();
        Assert.Equal<string>(["acquire", "release"], _store.Calls);
    }

    [Fact]
    public async Task A_lease_is_passed_on_for_a_second_and_then_another_process_has_its_chance()
    {
        var first = await _here.EnterAsync(_key, Token);
        var elsewhere = Enter(_there);
        await UntilAsync(() => _store.Watchers == 1);
        var (second, third) = (Enter(_here), Enter(_here));
        await PassAsync(TimeSpan.FromMilliseconds(600));
        await first.DisposeAsync();
        var passed = await second.WaitAsync(Patience, Token);
        await PassAsync(TimeSpan.FromMilliseconds(600));
        Assert.False(elsewhere.IsCompleted);
        await passed.DisposeAsync();
        Assert.Equal(1, _store.Calls.Count(call => call == "release"));
        // From here on it is a race at the store, and whoever wins, both get it.
        var one = await Task.WhenAny(elsewhere, third).WaitAsync(Patience, Token);
        await (await one).DisposeAsync();
        await (await (one == third ? elsewhere : third).WaitAsync(Patience, Token)).DisposeAsync();
    }

    [Fact]
    public async Task A_lease_that_is_passed_on_is_renewed_as_if_it_had_stayed()
    {
        var lease = await _here.EnterAsync(_key, Token);
        var waiting = Enter(_here);
        await PassAsync(TimeSpan.FromMilliseconds(900));
        await lease.DisposeAsync();
        await using var next = await waiting.WaitAsync(Patience, Token);
        await PassAsync(TimeSpan.FromSeconds(2));
        Assert.DoesNotContain("renew", _store.Calls);
        await PassAsync(TimeSpan.FromSeconds(0.2));
        Assert.Contains("renew", _store.Calls);
    }

    [Fact]
    public async Task A_lease_that_is_lost_is_not_passed_on()
    {
        var lease = await _here.EnterAsync(_key, Token);
        var waiting = Enter(_here);
        // Paused: the clock moves on, and nobody has renewed.
        _store.Fails = "renew";
        _time.Advance(TimeSpan.FromSeconds(9));
        _store.Fails = null;
        await lease.DisposeAsync();
        await using var next = await waiting.WaitAsync(Patience, Token);
        Assert.False(next.IsLost);
        Assert.Equal(2, _store.Calls.Count(call => call == "acquire"));
    }

    [Fact]
    public async Task A_lease_that_is_passed_to_somebody_who_goes_away_is_given_back()
    {
        for (var i = 0; i < 200; i++)
        {
            var lease = await _here.EnterAsync(_key, Token);
            using var browser = new CancellationTokenSource();
            var waiting = _here.EnterAsync(_key, browser.Token).AsTask();
            await Task.WhenAll(Task.Run(browser.Cancel, Token), Task.Run(() => lease.DisposeAsync().AsTask(), Token));
            try
            {
                await (await waiting.WaitAsync(Patience, Token)).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
            }

            Assert.False(_store.IsHeld(_key));
        }
    }

    [Fact]
    public async Task Sessions_do_not_wait_for_each_other()
    {
        await using var one = await _here.EnterAsync(_key, Token);
        await using var other = await _here.EnterAsync(SessionKey.From(SessionId.New()), Token);
    }

    [Fact]
    public async Task Another_process_is_woken_by_the_message_without_any_time_passing()
    {
        var first = await _here.EnterAsync(_key, Token);
        var waiting = Enter(_there);
        await UntilAsync(() => _store.Watchers == 1);
        Assert.False(waiting.IsCompleted);
        await first.DisposeAsync();
        await using var second = await waiting.WaitAsync(Patience, Token);
        Assert.Equal(0, _store.Watchers);
    }

    [Fact]
    public async Task Where_no_messages_come_it_asks_again_now_and_then()
    {
        _store.SendsMessages = false;
        var first = await _here.EnterAsync(_key, Token);
        var waiting = Enter(_there);
        await first.DisposeAsync();
        await using var second = await PassTimeAsync(waiting);
        Assert.True(_time.GetUtcNow().Second < 7, "it took more than a second");
    }

    [Fact]
    public async Task A_lease_that_nobody_renews_any_more_is_had_when_its_time_is_up()
    {
        var began = _time.GetUtcNow();
        _store.Seize(_key, TimeSpan.FromSeconds(9));
        await using var mine = await PassTimeAsync(Enter(_here));
        Assert.InRange(_time.GetUtcNow() - began, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(9.25));
    }

    [Fact]
    public async Task One_more_than_may_wait_is_told_so_at_once()
    {
        await using var first = await _here.EnterAsync(_key, Token);
        var waiting = Enumerable.Range(0, 3).Select(_ => Enter(_here)).ToArray();
        var e = await Assert.ThrowsAsync<SessionBusyException>(() => Enter(_here).WaitAsync(Patience, Token));
        Assert.Contains("Sessions:MaxWaiters", e.Message, StringComparison.Ordinal);
        Assert.All(waiting, task => Assert.False(task.IsCompleted));
    }

    [Fact]
    public async Task Who_waits_too_long_in_the_line_is_told_so_and_the_line_goes_on()
    {
        var first = await _here.EnterAsync(_key, Token);
        var late = Enter(_here);
        await PassAsync(TimeSpan.FromSeconds(10));
        var patient = Enter(_here);
        await PassAsync(TimeSpan.FromSeconds(11));
        var e = await Assert.ThrowsAsync<SessionBusyException>(() => late.WaitAsync(Patience, Token));
        Assert.Contains("Sessions:LeaseWait", e.Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        await using var second = await patient.WaitAsync(Patience, Token);
    }

    [Fact]
    public async Task Who_waits_too_long_for_another_process_is_told_so_and_does_not_block_the_line()
    {
        var other = await _there.EnterAsync(_key, Token);
        var late = Enter(_here);
        await Assert.ThrowsAsync<SessionBusyException>(() => PassTimeAsync(late));
        await other.DisposeAsync();
        await using var next = await _here.EnterAsync(_key, Token);
        Assert.Equal(0, _store.Watchers);
    }

    [Fact]
    public async Task Who_goes_away_while_waiting_leaves_no_trace()
    {
        var first = await _there.EnterAsync(_key, Token);
        using var browser = new CancellationTokenSource();
        var waiting = _here.EnterAsync(_key, browser.Token).AsTask();
        await UntilAsync(() => _store.Watchers == 1);
        await browser.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience, Token));
        Assert.Equal(0, _store.Watchers);
        await first.DisposeAsync();
        await using var next = await _here.EnterAsync(_key, Token);
    }

    [Fact]
    public async Task A_lease_that_was_taken_in_the_moment_of_going_away_is_given_back()
    {
        using var browser = new CancellationTokenSource();
        _store.AfterAcquiring = browser.Cancel;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _here.EnterAsync(_key, browser.Token).AsTask());
        Assert.False(_store.IsHeld(_key));
    }

    [Fact]
    public async Task A_store_that_fails_fails_the_request_and_not_the_next_one()
    {
        _store.Fails = "acquire";
        await Assert.ThrowsAsync<SessionStoreException>(() => _here.EnterAsync(_key, Token).AsTask());
        _store.Fails = null;
        await using var next = await _here.EnterAsync(_key, Token);
    }

    [Fact]
    public async Task A_lease_is_renewed_at_a_third_of_its_time_for_as_long_as_the_request_runs()
    {
        await using var lease = await _here.EnterAsync(_key, Token);
        await PassAsync(TimeSpan.FromSeconds(60));
        Assert.InRange(_store.Calls.Count(call => call == "renew"), 19, 21);
        Assert.True(_store.IsHeld(_key));
        Assert.False(lease.IsLost);
        Assert.False(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_that_another_process_has_got_is_lost_and_the_request_can_know()
    {
        var lease = await _here.EnterAsync(_key, Token);
        _store.Seize(_key, TimeSpan.FromMinutes(1));
        await PassAsync(TimeSpan.FromSeconds(4));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.True(lease.IsLost);
        await lease.DisposeAsync();
        Assert.True(_store.IsHeld(_key), "it gave back what was somebody else's");
    }

    [Fact]
    public async Task A_process_that_was_paused_knows_by_its_clock_that_its_lease_may_be_lost()
    {
        await using var lease = await _here.EnterAsync(_key, Token);
        _store.Fails = "renew";
        await PassAsync(TimeSpan.FromSeconds(8));
        Assert.False(lease.IsLost);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(lease.IsLost);
    }

    [Fact]
    public async Task A_store_that_is_away_for_a_moment_costs_no_lease_and_one_that_stays_away_does()
    {
        await using var lease = await _here.EnterAsync(_key, Token);
        _store.Fails = "renew";
        await PassAsync(TimeSpan.FromSeconds(5));
        _store.Fails = null;
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.False(lease.Lost.IsCancellationRequested);
        _store.Fails = "renew";
        await PassAsync(TimeSpan.FromSeconds(12));
        Assert.True(lease.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lease_that_cannot_be_given_back_ends_by_itself()
    {
        var lease = await _here.EnterAsync(_key, Token);
        _store.Fails = "release";
        await lease.DisposeAsync();
        _store.Fails = null;
        await using var next = await PassTimeAsync(Enter(_there));
    }

    private LeaseQueue New() => new(_store, _options, _time, NullLogger.Instance);

    private Task<ExclusiveLease> Enter(LeaseQueue queue) => queue.EnterAsync(_key, Token).AsTask();

    /// <summary>Lets time pass in small steps, so that whatever is due in between runs.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(100))
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    private async Task<T> PassTimeAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            Token.ThrowIfCancellationRequested();
            _time.Advance(TimeSpan.FromMilliseconds(50));
            // The waiter goes on elsewhere; without giving it room the clock would run away from it.
            await Task.Delay(1, Token);
        }

        return await task;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(1, Token);
    }
}
