namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    [Fact]
    public async Task Creating_where_a_record_is_conflicts_and_overwrites_nothing()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var first = await CreateAsync(handler);
        AssertConflict(first, await CommitAsync(handler, Key, 0, Live(1, 2)));
        AssertSame(first, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_commit_on_the_version_that_is_there_replaces_the_record()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        var second = Live(2, 2);
        AssertCommitted(await CommitAsync(handler, Key, 1, second));
        AssertSame(second, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_stale_commit_returns_the_newest_record_and_changes_nothing()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        AssertCommitted(await CommitAsync(handler, Key, 1, Live(2, 2)));
        var newest = Live(3, 3);
        AssertCommitted(await CommitAsync(handler, Key, 2, newest));

        AssertConflict(newest, await CommitAsync(handler, Key, 1, Live(2, 4)));
        AssertSame(newest, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_commit_on_a_version_that_is_not_there_yet_conflicts()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var first = await CreateAsync(handler);
        AssertConflict(first, await CommitAsync(handler, Key, 2, Live(3, 2)));
        AssertSame(first, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_commit_that_expects_a_record_never_creates_one()
    {
        var handler = await Fixture.CreateHandlerAsync();
        AssertGone(await CommitAsync(handler, Key, 1, Live(2)));
        Assert.Null(await ReadAsync(handler, Key));
        AssertCommitted(await CommitAsync(handler, Key, 0, Live(1)));
    }

    [Fact]
    public async Task A_commit_after_a_delete_does_not_bring_the_record_back()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        Assert.True(await handler.DeleteAsync(Key, CancellationToken));

        AssertGone(await CommitAsync(handler, Key, 1, Live(2)));
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task After_a_delete_a_record_can_be_created_anew()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        await handler.DeleteAsync(Key, CancellationToken);
        var anew = await CreateAsync(handler, Live(1, 9));
        AssertSame(anew, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task Deleting_says_whether_there_was_a_record_and_deleting_twice_is_fine()
    {
        var handler = await Fixture.CreateHandlerAsync();
        Assert.False(await handler.DeleteAsync(Key, CancellationToken));
        await CreateAsync(handler);
        Assert.True(await handler.DeleteAsync(Key, CancellationToken));
        Assert.False(await handler.DeleteAsync(Key, CancellationToken));
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task Deleting_does_not_ask_for_the_version()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        AssertCommitted(await CommitAsync(handler, Key, 1, Live(2)));
        Assert.True(await handler.DeleteAsync(Key, CancellationToken));
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Theory]
    [InlineData(0x0000_0000_0100_0000UL)]
    [InlineData(0x0000_0000_0a00_000aUL)] // bytes that are a line end in some protocols
    [InlineData(0x0000_0000_ffff_ffffUL)] // the next one has a carry
    [InlineData(0x0020_0000_0000_0000UL)] // 2^53: as a double it equals the next one
    [InlineData(0x7fff_ffff_ffff_fffeUL)]
    [InlineData(0xffff_ffff_0000_0001UL)]
    public async Task Versions_are_compared_exactly(ulong value)
    {
        var handler = await Fixture.CreateHandlerAsync();
        var version = SessionVersion.FromValue(value);
        var record = await CreateAsync(handler, Live(version, 1));

        foreach (var other in new[] { value + 1, value - 1, value ^ (1UL << 63), value ^ (1UL << 32), value ^ (1UL << 24) })
            AssertConflict(record, await CommitAsync(handler, SessionVersion.FromValue(other), Live(SessionVersion.FromValue(other).Next(CommitId.New()))));
        var next = Live(version.Next(CommitId.New()), 2);
        AssertCommitted(await CommitAsync(handler, version, next));
        AssertConflict(next, await CommitAsync(handler, version, Live(version.Next(CommitId.New()))));
        AssertSame(next, await ReadAsync(handler, Key));
    }

    /// <summary>A store that was rolled back has counted the same numbers again, and what was read before is not what is there now.</summary>
    [Fact]
    public async Task A_version_of_the_same_count_that_another_commit_made_is_another_version()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var read = new SessionVersion(3, 0xaaaaaa);
        var there = await CreateAsync(handler, Live(new SessionVersion(3, 0xaaaaab), 1));

        var conflict = Assert.IsType<CommitResult.Conflict>(await CommitAsync(handler, read, Live(read.Next(CommitId.New()), 2)));

        AssertSame(there, conflict.Current);
        Assert.True(conflict.Current.RemembersCommitsSince(read));
        AssertSame(there, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task The_same_commit_sent_twice_is_applied_once_and_finds_itself()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        var record = Live(2, 2);
        AssertCommitted(await CommitAsync(handler, Key, 1, record));

        var again = Assert.IsType<CommitResult.Conflict>(await CommitAsync(handler, Key, 1, record));

        Assert.True(again.Current.HasCommit(record.CommitIds[0]));
        Assert.True(again.Current.RemembersCommitsSince(new SessionVersion(1)));
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task The_same_creation_sent_twice_is_applied_once_and_finds_itself()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler);

        var again = Assert.IsType<CommitResult.Conflict>(await CommitAsync(handler, Key, 0, record));

        Assert.True(again.Current.HasCommit(record.CommitIds[0]));
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Theory]
    [InlineData(SessionState.Ended)]
    [InlineData(SessionState.Replaced)]
    [InlineData(SessionState.Forward)]
    public async Task A_closed_record_is_a_record_like_any_other(SessionState state)
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        var closed = new SessionRecord
        {
            Version = new SessionVersion(2),
            State = state,
            CreatedAt = Milliseconds(Fixture.Time.GetUtcNow()),
            AbsoluteDeadline = Milliseconds(Fixture.Time.GetUtcNow() + TimeSpan.FromMinutes(2)),
            CommitIds = [CommitId.New()],
            Payload = state == SessionState.Forward ? System.Text.Encoding.ASCII.GetBytes(NewKey().Value) : default(ReadOnlyMemory<byte>),
        };

        AssertCommitted(await CommitAsync(handler, Key, 1, closed));

        AssertSame(closed, await ReadAsync(handler, Key));
        AssertSame(closed, await ReadAsync(handler, Key));
        AssertConflict(closed, await CommitAsync(handler, Key, 0, Live(1)));
        AssertConflict(closed, await CommitAsync(handler, Key, 1, Live(2)));
        AssertCommitted(await CommitAsync(handler, Key, 2, Live(3)));
        Assert.True(await handler.DeleteAsync(Key, CancellationToken));
    }
}
