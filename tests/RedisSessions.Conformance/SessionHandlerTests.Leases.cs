using System.Security.Cryptography;

namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    /// <summary>Far longer than any test.</summary>
    private static readonly TimeSpan LongLease = TimeSpan.FromMinutes(2);

    /// <summary>The shortest there is; tests can afford to wait it out.</summary>
    private static readonly TimeSpan ShortLease = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_lease_that_nobody_has_is_taken_and_others_learn_how_long_it_lasts()
    {
        var leases = await LeasesAsync();
        Assert.Null(await leases.TryAcquireAsync(Key, NewLease(), CancellationToken));
        await AssertTakenAsync(leases, TimeSpan.Zero, LongLease);
        await AssertTakenAsync(await LeasesAsync(), TimeSpan.Zero, LongLease);
    }

    [Fact]
    public async Task Who_has_a_lease_and_takes_it_again_still_has_it_for_its_whole_time()
    {
        var (one, other) = (await LeasesAsync(), await LeasesAsync());
        var mine = NewLease(TimeSpan.FromSeconds(30));
        Assert.Null(await one.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.Null(await one.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.Null(await other.TryAcquireAsync(Key, mine with { Duration = LongLease }, CancellationToken));
        await AssertTakenAsync(one, TimeSpan.FromSeconds(60), LongLease);
    }

    [Fact]
    public async Task A_lease_that_is_given_back_is_free_and_giving_it_back_twice_is_fine()
    {
        var (one, other) = (await LeasesAsync(), await LeasesAsync());
        var (mine, theirs) = (NewLease(), NewLease());
        Assert.Null(await one.TryAcquireAsync(Key, mine, CancellationToken));
        await other.ReleaseAsync(Key, mine, CancellationToken);
        Assert.Null(await other.TryAcquireAsync(Key, theirs, CancellationToken));
        await one.ReleaseAsync(Key, mine, CancellationToken);
        await AssertTakenAsync(one, TimeSpan.Zero, LongLease);
    }

    [Fact]
    public async Task A_lease_is_neither_renewed_nor_given_back_by_somebody_else()
    {
        var leases = await LeasesAsync();
        var mine = NewLease(TimeSpan.FromSeconds(30));
        Assert.Null(await leases.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.False(await leases.RenewAsync(Key, NewLease(), CancellationToken));
        await leases.ReleaseAsync(Key, NewLease(), CancellationToken);
        await AssertTakenAsync(leases, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.True(await leases.RenewAsync(Key, mine, CancellationToken));
    }

    [Fact]
    public async Task A_renewed_lease_lasts_its_whole_time_again()
    {
        var leases = await LeasesAsync();
        var mine = NewLease(TimeSpan.FromSeconds(30));
        Assert.Null(await leases.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.True(await leases.RenewAsync(Key, mine with { Duration = LongLease }, CancellationToken));
        await AssertTakenAsync(leases, TimeSpan.FromSeconds(60), LongLease);
    }

    [Fact]
    public async Task A_lease_that_nobody_has_is_not_renewed_and_stays_free()
    {
        var leases = await LeasesAsync();
        Assert.False(await leases.RenewAsync(Key, NewLease(), CancellationToken));
        await leases.ReleaseAsync(Key, NewLease(), CancellationToken);
        Assert.Null(await leases.TryAcquireAsync(Key, NewLease(), CancellationToken));
    }

    [Fact]
    public async Task A_lease_ends_by_itself_and_is_lost_to_whoever_had_it()
    {
        var (one, other) = (await LeasesAsync(), await LeasesAsync());
        var mine = NewLease(ShortLease);
        Assert.Null(await one.TryAcquireAsync(Key, mine, CancellationToken));
        await Fixture.ElapseAsync(ShortLease * 1.5);
        Assert.False(await one.RenewAsync(Key, mine, CancellationToken));

        Assert.Null(await other.TryAcquireAsync(Key, NewLease(), CancellationToken));
        Assert.False(await one.RenewAsync(Key, mine, CancellationToken));
        await one.ReleaseAsync(Key, mine, CancellationToken);
        await AssertTakenAsync(one, TimeSpan.Zero, LongLease);
    }

    [Fact]
    public async Task Of_fifty_who_want_a_lease_at_once_exactly_one_gets_it()
    {
        var handlers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => LeasesAsync()));
        // Once when nobody has had it, and once when the time of whoever had it is up.
        await AssertOneGetsItAsync(Key);
        var ended = NewKey();
        Assert.Null(await handlers[0].TryAcquireAsync(ended, NewLease(ShortLease), CancellationToken));
        await Fixture.ElapseAsync(ShortLease * 1.5);
        await AssertOneGetsItAsync(ended);

        async Task AssertOneGetsItAsync(SessionKey key)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(
                async () => await handlers[i % 4].TryAcquireAsync(key, NewLease(), CancellationToken))));
            Assert.Single(answers, answer => answer is null);
        }
    }

    [Fact]
    public async Task Leases_of_different_sessions_have_nothing_to_do_with_each_other()
    {
        var leases = await LeasesAsync();
        var (mine, other) = (NewLease(), NewKey());
        Assert.Null(await leases.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.Null(await leases.TryAcquireAsync(other, NewLease(), CancellationToken));
        Assert.False(await leases.RenewAsync(other, mine, CancellationToken));
        await leases.ReleaseAsync(Key, mine, CancellationToken);
        Assert.NotNull(await leases.TryAcquireAsync(other, NewLease(), CancellationToken));
    }

    [Fact]
    public async Task A_lease_makes_no_record_and_a_record_may_end_under_it()
    {
        var leases = await LeasesAsync();
        var handler = Assert.IsAssignableFrom<ISessionHandler>(leases);
        var mine = NewLease();
        Assert.Null(await leases.TryAcquireAsync(Key, mine, CancellationToken));
        Assert.Null(await ReadAsync(handler, Key));
        AssertGone(await CommitAsync(handler, Key, 1, Live(2)));
        await CreateAsync(handler);
        AssertCommitted(await CommitAsync(await Fixture.CreateHandlerAsync(), Key, 1, Live(2)));
        Assert.True(await handler.DeleteAsync(Key, CancellationToken));
        Assert.False(await handler.DeleteAsync(Key, CancellationToken));
        Assert.True(await leases.RenewAsync(Key, mine, CancellationToken));
        await AssertTakenAsync(leases, TimeSpan.Zero, LongLease);
    }

    [Fact]
    public async Task Cancelled_before_it_is_sent_a_lease_is_neither_taken_nor_given_back()
    {
        var leases = await LeasesAsync();
        var (mine, cancelled) = (NewLease(), new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await leases.TryAcquireAsync(Key, NewLease(), cancelled));
        Assert.Null(await leases.TryAcquireAsync(Key, mine, CancellationToken));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await leases.ReleaseAsync(Key, mine, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await leases.RenewAsync(Key, mine, cancelled));
        await AssertTakenAsync(leases, TimeSpan.Zero, LongLease);
    }

    [Fact]
    public async Task A_lease_that_is_given_back_wakes_those_who_watch_for_it()
    {
        var (one, other) = (await LeasesAsync(), await LeasesAsync());
        var (mine, woken, foreign, ended) = (NewLease(), new Bell(), new Bell(), new Bell());
        using var watch = await one.WatchAsync(Key, woken.Ring, CancellationToken);
        if (watch is null)
        {
            // This store sends no messages, and says so each time.
            Assert.Null(await other.WatchAsync(Key, woken.Ring, CancellationToken));
            return;
        }

        using var second = await one.WatchAsync(Key, woken.Ring, CancellationToken);
        using var unrelated = await one.WatchAsync(NewKey(), foreign.Ring, CancellationToken);
        var disposed = await one.WatchAsync(Key, ended.Ring, CancellationToken);
        disposed!.Dispose();
        disposed.Dispose();
        second!.Dispose();
        Assert.Null(await other.TryAcquireAsync(Key, mine, CancellationToken));
        await other.ReleaseAsync(Key, NewLease(), CancellationToken);
        await other.ReleaseAsync(Key, mine, CancellationToken);

        await woken.RungAsync();
        Assert.Equal((1, 0, 0), (woken.Rings, foreign.Rings, ended.Rings));
    }

    /// <summary>A handler with leases; a fixture whose handler has none says so, and every other one fails here by name.</summary>
    private async Task<ISessionLeases> LeasesAsync()
    {
        Assert.SkipUnless(Fixture.KeepsLeases, "This handler keeps no leases.");
        return Assert.IsAssignableFrom<ISessionLeases>(await Fixture.CreateHandlerAsync());
    }

    /// <summary>Somebody else cannot have it, and is told how long it lasts.</summary>
    private async Task AssertTakenAsync(ISessionLeases leases, TimeSpan longerThan, TimeSpan atMost)
    {
        var left = Assert.NotNull(await leases.TryAcquireAsync(Key, NewLease(), CancellationToken));
        Assert.True(left > longerThan && left <= atMost, $"The lease lasts {left}, which is not between {longerThan} and {atMost}.");
    }

    private static SessionLease NewLease(TimeSpan? duration = null) => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), duration ?? LongLease);

    private sealed class Bell
    {
        private readonly TaskCompletionSource _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _rings;

        public int Rings => Volatile.Read(ref _rings);

        public void Ring()
        {
            Interlocked.Increment(ref _rings);
            _rung.TrySetResult();
        }

        public Task RungAsync() => _rung.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken);
    }
}
