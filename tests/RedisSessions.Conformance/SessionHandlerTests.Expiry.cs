using System.Diagnostics;

namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    [Fact]
    public async Task A_record_that_nobody_uses_for_the_idle_timeout_is_gone()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler, idleTimeout: Fixture.ShortIdleTimeout);
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_commit_after_the_idle_timeout_does_not_bring_the_record_back()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler, idleTimeout: Fixture.ShortIdleTimeout);
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        AssertGone(await CommitAsync(handler, Key, 1, Live(2)));
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task After_the_idle_timeout_a_record_can_be_created_anew()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler, idleTimeout: Fixture.ShortIdleTimeout);
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        var anew = await CreateAsync(handler, Live(1, 7));
        AssertSame(anew, await ReadAsync(handler, Key));
    }

    [Fact]
    public Task A_read_slides_the_idle_deadline() => SlidesAsync(
        async (handler, key, idle, _) => Assert.NotNull(await ReadAsync(handler, key, idle)));

    [Fact]
    public Task A_commit_slides_the_idle_deadline() => SlidesAsync(
        async (handler, key, idle, version) => AssertCommitted(await CommitAsync(handler, key, version, Live(version + 1), idle)));

    [Fact]
    public async Task A_refused_commit_does_not_shorten_the_life_of_the_record()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler);
        AssertConflict(record, await CommitAsync(handler, Key, 0, Live(1), Fixture.ShortIdleTimeout));
        AssertConflict(record, await CommitAsync(handler, Key, 5, Live(6), Fixture.ShortIdleTimeout));
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task The_absolute_deadline_cuts_the_life_of_a_record_short()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var deadline = Milliseconds(Fixture.Time.GetUtcNow() + Fixture.ShortIdleTimeout);
        await CreateAsync(handler, With(Live(1), deadline: deadline), LongIdleTimeout);
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task The_absolute_deadline_cuts_the_life_of_a_replaced_record_short()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        var deadline = Milliseconds(Fixture.Time.GetUtcNow() + Fixture.ShortIdleTimeout);
        AssertCommitted(await CommitAsync(handler, Key, 1, With(Live(2), deadline: deadline, state: SessionState.Ended)));
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        Assert.Null(await ReadAsync(handler, Key));
        AssertGone(await CommitAsync(handler, Key, 2, Live(3)));
    }

    [Fact]
    public async Task A_record_whose_absolute_deadline_has_passed_is_stored_and_gone_at_once()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler, With(Live(1), deadline: Milliseconds(Fixture.Time.GetUtcNow() - TimeSpan.FromHours(1))));
        await Fixture.ElapseAsync(TimeSpan.FromMilliseconds(50));
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_longer_idle_timeout_of_its_own_goes_before_the_one_that_is_given()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler, With(Live(1), idle: TimeSpan.FromHours(1)), Fixture.ShortIdleTimeout);
        AssertSame(record, await ReadAsync(handler, Key, Fixture.ShortIdleTimeout));
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        AssertSame(record, await ReadAsync(handler, Key, Fixture.ShortIdleTimeout));
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        AssertCommitted(await CommitAsync(handler, Key, 1, With(Live(2), idle: TimeSpan.FromHours(1)), Fixture.ShortIdleTimeout));
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        Assert.NotNull(await ReadAsync(handler, Key, Fixture.ShortIdleTimeout));
    }

    [Fact]
    public async Task A_shorter_idle_timeout_of_its_own_goes_before_the_one_that_is_given()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var idle = Fixture.ShortOwnIdleTimeout;
        await CreateAsync(handler, With(Live(1), idle: idle), LongIdleTimeout);
        await Fixture.ElapseAsync(idle * 0.2);
        // Not found only on a machine that was stalled for long, which proves as much.
        await ReadAsync(handler, Key, LongIdleTimeout);
        await Fixture.ElapseAsync(idle * 1.5);
        Assert.Null(await ReadAsync(handler, Key, LongIdleTimeout));
        AssertGone(await CommitAsync(handler, Key, 1, Live(2)));
    }

    [Fact]
    public Task A_read_slides_by_the_idle_timeout_that_the_record_has_of_its_own() => SlidesAsync(
        async (handler, key, _, _) => Assert.NotNull(await ReadAsync(handler, key, LongIdleTimeout)), Fixture.ShortOwnIdleTimeout, own: true);

    [Fact]
    public async Task The_absolute_deadline_cuts_an_idle_timeout_of_its_own_short()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var deadline = Milliseconds(Fixture.Time.GetUtcNow() + Fixture.ShortIdleTimeout);
        await CreateAsync(handler, With(Live(1), deadline: deadline, idle: TimeSpan.FromDays(30)), LongIdleTimeout);
        await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 1.5);
        Assert.Null(await ReadAsync(handler, Key));
    }

    /// <summary>
    /// Three uses, six tenths of the idle timeout apart, keep a record alive for longer than one idle timeout; without them it ends. On a machine that
    /// was stalled for longer than the idle timeout this proves nothing: then once more, with a longer one.
    /// </summary>
    /// <param name="use">One use: the handler, the session, the idle timeout, the version that is there.</param>
    /// <param name="shortest">The idle timeout to begin with; by default that of the fixture.</param>
    /// <param name="own">Whether the record has it of its own.</param>
    private async Task SlidesAsync(Func<ISessionHandler, SessionKey, TimeSpan, ulong, Task> use, TimeSpan? shortest = null, bool own = false)
    {
        var handler = await Fixture.CreateHandlerAsync();
        for (var idle = shortest ?? Fixture.ShortIdleTimeout; !await SlidesAsync(handler, NewKey(), idle, own, use); idle *= 2)
            Assert.True(idle < TimeSpan.FromSeconds(16), "This machine is stalled for longer than any idle timeout that was tried.");
    }

    /// <returns>False when it came too late to prove anything.</returns>
    private async Task<bool> SlidesAsync(
        ISessionHandler handler, SessionKey key, TimeSpan idle, bool own, Func<ISessionHandler, SessionKey, TimeSpan, ulong, Task> use)
    {
        var used = Stopwatch.GetTimestamp();
        AssertCommitted(await CommitAsync(handler, key, 0, own ? With(Live(1), idle: idle) : Live(1), own ? LongIdleTimeout : idle));
        for (ulong version = 1; version <= 3; version++)
        {
            await Fixture.ElapseAsync(idle * 0.6);
            var now = Stopwatch.GetTimestamp();
            var failure = await Record.ExceptionAsync(() => use(handler, key, idle, version));
            if (Stopwatch.GetElapsedTime(used) >= idle)
                return false;
            Assert.Null(failure);
            used = now;
        }

        await Fixture.ElapseAsync(idle * 1.5);
        Assert.Null(await ReadAsync(handler, key, idle));
        return true;
    }
}
