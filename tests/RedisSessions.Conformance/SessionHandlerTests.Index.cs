namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    /// <summary>A user that no other test knows.</summary>
    private readonly string _user = Guid.NewGuid().ToString();

    [Fact]
    public async Task A_session_is_found_by_its_user_with_its_record_and_its_deadline()
    {
        var handler = await IndexedAsync();
        var before = Fixture.Time.GetUtcNow();
        var record = await CreateAsync(handler, Of(_user, Live(1, 7)));

        var found = Assert.Single(await FindAsync(handler, _user));
        Assert.Equal(Key, found.Key);
        AssertSame(record, found.Record);
        // Whole milliseconds are all that stores know.
        Assert.InRange(found.IdleDeadline, before + LongIdleTimeout - TimeSpan.FromSeconds(1), Fixture.Time.GetUtcNow() + LongIdleTimeout + TimeSpan.FromSeconds(1));

        Assert.Equal(Key, Assert.Single(await FindAsync(await IndexedAsync(), _user)).Key);
        Assert.Empty(await FindAsync(handler, _user + "0"));
        Assert.Empty(await FindAsync(handler, _user[1..]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("..")]
    [InlineData("../../../etc/passwd")]
    [InlineData("C:\\users\\*?\"<>|:")]
    [InlineData("' OR '1' = '1'; DROP TABLE sessions -- \\")]
    [InlineData("Zoë 日本語 🦆 {0} %s [a-z]* \r\n\t")]
    [InlineData("a nul \0 inside")]
    [InlineData("very long")]
    [InlineData("very long and another one")]
    public async Task A_user_id_may_be_any_text(string user)
    {
        if (user.StartsWith("very long", StringComparison.Ordinal))
            user = new string('ü', 5000) + user;
        var handler = await IndexedAsync();
        var record = await CreateAsync(handler, Of(user));
        AssertSame(record, Assert.Single(await FindAsync(handler, user), found => found.Key == Key).Record);
        Assert.DoesNotContain(await FindAsync(handler, user + "x"), found => found.Key == Key);
    }

    [Fact]
    public async Task Users_that_differ_by_case_alone_are_different_users()
    {
        var handler = await IndexedAsync();
        await CreateAsync(handler, Of("ann" + _user));
        Assert.Empty(await FindAsync(handler, "Ann" + _user));
    }

    [Fact]
    public async Task Of_several_sessions_those_that_are_alive_are_found()
    {
        var handler = await IndexedAsync();
        var keys = Enumerable.Range(0, 6).Select(_ => NewKey()).ToArray();
        foreach (var key in keys)
            AssertCommitted(await CommitAsync(handler, key, 0, Of(_user)));
        AssertCommitted(await CommitAsync(handler, NewKey(), 0, Of("somebody else" + _user)));
        AssertCommitted(await CommitAsync(handler, NewKey(), 0, Live(1)));

        // One is deleted, one is ended, one moves to a new key, one goes on.
        Assert.True(await handler.DeleteAsync(keys[0], CancellationToken));
        AssertCommitted(await CommitAsync(handler, keys[1], 1, With(Live(2), state: SessionState.Ended, deadline: Milliseconds(Fixture.Time.GetUtcNow().AddMinutes(2)))));
        var moved = NewKey();
        AssertCommitted(await CommitAsync(handler, moved, 0, Of(_user)));
        AssertCommitted(await CommitAsync(handler, keys[2], 1, With(Live(2), state: SessionState.Replaced, deadline: Milliseconds(Fixture.Time.GetUtcNow().AddMinutes(2)))));
        var newest = With(Live(2, 9), user: _user);
        AssertCommitted(await CommitAsync(handler, keys[3], 1, newest));

        for (var look = 0; look < 2; look++)
        {
            var found = await FindAsync(handler, _user);
            Assert.Equal(found.Count, found.Select(session => session.Key).Distinct().Count());
            Assert.DoesNotContain(found, session => session.Key == keys[0]);
            // A closed record may be shown, as what it is.
            var alive = found.Where(session => session.Record.State == SessionState.Live).ToArray();
            Assert.Equal(new[] { keys[3], keys[4], keys[5], moved }.Select(key => key.Value).Order(), alive.Select(session => session.Key.Value).Order());
            AssertSame(newest, alive.Single(session => session.Key == keys[3]).Record);
        }
    }

    [Fact]
    public async Task A_session_that_gets_another_user_is_found_by_that_one()
    {
        var handler = await IndexedAsync();
        await CreateAsync(handler);
        Assert.Empty(await FindAsync(handler, _user));
        AssertCommitted(await CommitAsync(handler, Key, 1, Of(_user, Live(2))));
        Assert.Single(await FindAsync(handler, _user));
        AssertCommitted(await CommitAsync(handler, Key, 2, Of("new" + _user, Live(3))));
        Assert.Equal(3UL, Assert.Single(await FindAsync(handler, "new" + _user)).Record.Version.Count);
    }

    [Fact]
    public async Task A_session_that_has_expired_is_not_found_and_looking_keeps_none_alive()
    {
        var handler = await IndexedAsync();
        await CreateAsync(handler, Of(_user), Fixture.ShortIdleTimeout);
        var other = NewKey();
        AssertCommitted(await CommitAsync(handler, other, 0, Of(_user)));
        for (var i = 0; i < 3; i++)
        {
            await Fixture.ElapseAsync(Fixture.ShortIdleTimeout * 0.6);
            Assert.Contains(await FindAsync(handler, _user), found => found.Key == other);
        }

        Assert.Equal(other, Assert.Single(await FindAsync(handler, _user)).Key);
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task Whoever_looks_while_users_sign_in_misses_none_that_has_signed_in()
    {
        var handlers = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => IndexedAsync()));
        using var done = new CancellationTokenSource();
        var looking = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
                await FindAsync(handlers[0], _user);
        }, CancellationToken);
        var keys = Enumerable.Range(0, 40).Select(_ => NewKey()).ToArray();
        await Parallel.ForEachAsync(keys.Index(), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = CancellationToken }, async (key, _) =>
        {
            var handler = handlers[1 + key.Index % 2];
            AssertCommitted(await CommitAsync(handler, key.Item, 0, Of(_user)));
            Assert.Contains(await FindAsync(handler, _user), found => found.Key == key.Item);
        });
        await done.CancelAsync();
        await looking;
        Assert.Equal(keys.Select(key => key.Value).Order(), (await FindAsync(handlers[0], _user)).Select(found => found.Key.Value).Order());
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_fails_the_whole_search()
    {
        Assert.SkipUnless(Fixture.KeepsBytes, "This store does not keep records as bytes.");
        var handler = await IndexedAsync();
        AssertCommitted(await CommitAsync(handler, NewKey(), 0, Of(_user)));
        await CreateAsync(handler, Of(_user));
        await Fixture.PlantAsync(Key, Bytes("random bytes"));
        AssertNames(await Assert.ThrowsAsync<SessionStoreException>(() => FindAsync(handler, _user)), "find", "no session record");
    }

    [Fact]
    public async Task A_cancelled_search_says_so_instead_of_answering_that_there_is_nothing()
    {
        var handler = await IndexedAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await ((ISessionIndex)handler).FindAsync(_user, new CancellationToken(canceled: true)));
    }

    /// <summary>A handler with an index; a fixture whose handler has none says so, and every other one fails here by name.</summary>
    private async Task<ISessionHandler> IndexedAsync()
    {
        Assert.SkipUnless(Fixture.FindsUsers, "This handler has no index.");
        var handler = await Fixture.CreateHandlerAsync();
        Assert.IsAssignableFrom<ISessionIndex>(handler);
        return handler;
    }

    /// <summary>A record whose user the index is to learn of.</summary>
    private SessionRecord Of(string user, SessionRecord? record = null) => With(record ?? Live(1), user: user, index: true);

    private static async Task<IReadOnlyList<IndexedSession>> FindAsync(ISessionHandler handler, string user) =>
        await ((ISessionIndex)handler).FindAsync(user, CancellationToken);
}
