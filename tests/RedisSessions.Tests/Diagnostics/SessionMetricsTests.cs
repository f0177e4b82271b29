using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Diagnostics;

/// <summary>What the meter counts, at the moment it happens.</summary>
public sealed class SessionMetricsTests : IDisposable
{
    private readonly Meters _meters = new();
    private readonly Engine _engine;

    public SessionMetricsTests() => _engine = new Engine(options => options.MaxSize = 2048, _meters);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _meters.Dispose();

    [Fact]
    public async Task A_session_from_its_first_request_to_its_last()
    {
        var session = _engine.Manager.Create();
        session["n"] = 1;
        await session.CommitAsync(Token);
        Assert.Single(_meters["redissessions.sessions.issued{}"]);
        Assert.Single(_meters["redissessions.commit.duration{outcome=issued}"]);
        Assert.Empty(_meters.Of("redissessions.load.duration"));

        session = await _engine.LoadAsync(session.SessionId, SessionAccess.ReadOnly);
        Assert.Single(_meters["redissessions.load.duration{access=read_only, outcome=found}"]);
        session = await _engine.LoadAsync(session.SessionId);
        session["n"] = 2;
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.Single(_meters["redissessions.sessions.regenerated{reason=login}"]);
        session = await _engine.LoadAsync(session.SessionId);
        session.RegenerateId();
        await session.CommitAsync(Token);
        Assert.Single(_meters["redissessions.sessions.regenerated{reason=rotation}"]);
        Assert.Equal(2, _meters["redissessions.commit.duration{outcome=regenerated}"].Length);

        var ends = await _engine.LoadAsync(session.SessionId);
        ends.Destroy();
        await ends.CommitAsync(Token);
        Assert.Single(_meters["redissessions.sessions.destroyed{reason=request}"]);
        await _engine.LoadAsync(session.SessionId);
        Assert.Single(_meters["redissessions.load.duration{access=optimistic, outcome=unknown}"]);
        Assert.Empty(_meters.Of("redissessions.commit.conflicts"));
        Assert.Empty(_meters.Of("redissessions.rejected"));
    }

    [Fact]
    public async Task A_request_that_changes_nothing_is_no_commit()
    {
        var session = await _engine.LoadAsync(await _engine.StoredAsync());
        await session.CommitAsync(Token);
        Assert.Empty(_meters.Of("redissessions.commit.duration"));
    }

    [Fact]
    public async Task A_conflict_is_counted_with_its_retry_and_its_rebase()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Increment("n")));
        await session.CommitAsync(Token);
        Assert.Equal([1.0], _meters["redissessions.commit.conflicts{}"]);
        Assert.Equal([1.0], _meters["redissessions.commit.retries{}"]);
        Assert.Equal([1.0], _meters["redissessions.commit.rebases{reason=replay}"]);
        Assert.Single(_meters["redissessions.commit.duration{outcome=committed}"]);

        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other.Increment("n")));
        await session.UpdateAsync(s => s["n"] = s.Get<int>("n") * 2, Token);
        Assert.Equal([1.0], _meters["redissessions.commit.rebases{reason=rerun}"]);
        Assert.Empty(_meters.Of("redissessions.rejected"));
    }

    [Fact]
    public async Task What_is_refused_is_counted_with_its_reason()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var stale = await _engine.LoadAsync(id);
        stale["n"] = stale.Get<int>("n") + 1;
        await _engine.OtherAsync(id, other => other.Increment("n"));
        await Assert.ThrowsAsync<SessionConflictException>(async () => await stale.CommitAsync(Token));
        Assert.Equal(["redissessions.rejected{reason=conflict}"], _meters.Of("redissessions.rejected"));
        Assert.Single(_meters["redissessions.commit.duration{outcome=conflict}"]);

        var large = await _engine.LoadAsync(id);
        large["big"] = new string('x', 3000);
        await Assert.ThrowsAsync<SessionTooLargeException>(async () => await large.CommitAsync(Token));
        Assert.Single(_meters["redissessions.rejected{reason=too_large}"]);

        var late = await _engine.LoadAsync(id);
        late["m"] = 1;
        await _engine.OtherAsync(id, other => other.Destroy());
        await Assert.ThrowsAsync<SessionConflictException>(async () => await late.CommitAsync(Token));
        Assert.Single(_meters["redissessions.rejected{reason=ended}"]);
    }

    [Fact]
    public async Task Running_out_of_tries_and_losing_the_lease_are_reasons_of_their_own()
    {
        _engine.Options.CommitTries = 2;
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.BeforeCommit = _ => _engine.OtherAsync(id, other => other.Increment("n"));
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        _engine.Handler.BeforeCommit = null;
        Assert.Single(_meters["redissessions.rejected{reason=tries}"]);

        var leases = new TestLeases(_engine.Time);
        var manager = _engine.New(new LeasedHandler(_engine.Handler, leases), _meters);
        session = await manager.LoadAsync(id, SessionAccess.Exclusive, Token);
        session.Increment("n");
        leases.Seize(SessionKey.From(id), TimeSpan.FromMinutes(1));
        _engine.Time.Advance(TimeSpan.FromSeconds(30));
        await _engine.OtherAsync(id, other => other.Increment("n"));
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Single(_meters["redissessions.rejected{reason=lease_lost}"]);
        await SessionManager.ReleaseAsync(session, Token);
    }

    [Fact]
    public async Task Waiting_for_exclusive_access_is_measured_and_waiting_in_vain_is_a_refusal()
    {
        var leases = new TestLeases(_engine.Time);
        _engine.Options.LeaseWait = TimeSpan.FromSeconds(1);
        var manager = _engine.New(new LeasedHandler(_engine.Handler, leases), _meters);
        var id = await _engine.StoredAsync(("n", 1));
        var first = await manager.LoadAsync(id, SessionAccess.Exclusive, Token);
        Assert.Equal([0.0], _meters["redissessions.wait.duration{reason=lease, outcome=turn}"]);
        var second = manager.LoadAsync(id, SessionAccess.Exclusive, Token).AsTask();
        await Assert.ThrowsAsync<SessionBusyException>(() => _engine.PassTimeAsync(second));
        Assert.InRange(Assert.Single(_meters["redissessions.wait.duration{reason=lease, outcome=busy}"]), 1, 1.1);
        Assert.Single(_meters["redissessions.rejected{reason=busy}"]);
        Assert.Single(_meters["redissessions.load.duration{access=exclusive, outcome=busy}"]);
        await SessionManager.ReleaseAsync(first, Token);
    }

    [Fact]
    public async Task Waiting_in_line_to_commit_is_measured_and_being_first_is_not()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var (first, second) = (await _engine.LoadAsync(id), await _engine.LoadAsync(id));
        first.Increment("n");
        second.Increment("n");
        var slow = new TaskCompletionSource();
        _engine.Handler.Before(() => slow.Task);
        var (one, two) = (first.CommitAsync(Token).AsTask(), second.CommitAsync(Token).AsTask());
        _engine.Time.Advance(TimeSpan.FromMilliseconds(250));
        slow.SetResult();
        await Task.WhenAll(one, two);
        Assert.Equal([0.25], _meters["redissessions.wait.duration{reason=commit, outcome=turn}"]);
        Assert.Equal([0.25, 0.25], _meters["redissessions.commit.duration{outcome=committed}"]);
    }

    [Fact]
    public async Task Calls_of_the_store_are_measured_with_what_came_of_them()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.Before(() =>
        {
            _engine.Time.Advance(TimeSpan.FromSeconds(3));
            return Task.CompletedTask;
        });
        await session.CommitAsync(Token);
        Assert.Equal([0.0], _meters["redissessions.store.duration{operation=read, outcome=found}"]);
        Assert.Equal([3.0], _meters["redissessions.store.duration{operation=commit, outcome=committed}"]);
        var size = Assert.Single(_meters["redissessions.payload.size{operation=read}"]);
        Assert.Equal([size], _meters["redissessions.payload.size{operation=commit}"]);
        Assert.Equal(4, size);

        session.Increment("n");
        _engine.Handler.BeforeCommit = _ => throw new SessionStoreException("memory", "commit", "away", new TimeoutException());
        await Assert.ThrowsAsync<SessionStoreException>(async () => await session.CommitAsync(Token));
        Assert.Single(_meters["redissessions.store.duration{operation=commit, outcome=failed}"]);
        Assert.Equal(["redissessions.store.failures{operation=commit, error.type=System.TimeoutException}"], _meters.Of("redissessions.store.failures"));
        Assert.Single(_meters["redissessions.commit.duration{outcome=failed}"]);
        Assert.Empty(_meters.Of("redissessions.rejected"));
    }

    [Fact]
    public async Task Giving_up_waiting_is_no_failure_of_the_store()
    {
        var id = await _engine.StoredAsync(("n", 1));
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _engine.Manager.LoadAsync(id, cancellationToken: gone.Token));
        Assert.Single(_meters["redissessions.load.duration{access=optimistic, outcome=cancelled}"]);
        Assert.Single(_meters["redissessions.store.duration{operation=read, outcome=cancelled}"]);
        Assert.Empty(_meters.Of("redissessions.store.failures"));
    }

    [Fact]
    public async Task A_commit_whose_answer_was_lost_is_seen_and_counted_once()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n");
        _engine.Handler.LoseNextAnswer();
        await session.CommitAsync(Token);
        Assert.Equal([1.0], _meters["redissessions.commit.lost_answers{}"]);
        Assert.Single(_meters["redissessions.commit.duration{outcome=committed}"]);
        Assert.Empty(_meters.Of("redissessions.commit.retries"));
    }

    [Fact]
    public async Task An_import_is_counted_once_however_many_requests_import()
    {
        var id = SessionId.New();
        var values = new Dictionary<string, byte[]> { ["colour"] = "red"u8.ToArray() };
        var (one, two) = (await ImportAsync(), await ImportAsync());
        two["n"] = 1;
        await one.CommitAsync(Token);
        await two.CommitAsync(Token);
        Assert.Equal([1.0], _meters["redissessions.sessions.imported{}"]);
        Assert.Single(_meters["redissessions.commit.duration{outcome=imported}"]);
        Assert.Equal(2, _meters["redissessions.load.duration{access=optimistic, outcome=imported}"].Length);
        Assert.Empty(_meters.Of("redissessions.sessions.issued"));

        ValueTask<Session> ImportAsync() => _engine.Manager.ImportAsync(id, _ => new(values), cancellationToken: Token);
    }

    [Fact]
    public async Task A_session_that_was_ended_from_outside_is_counted_where_it_was_done()
    {
        var manager = _engine.New(_engine.Store, _meters);
        var session = manager.Create();
        session["account.current_user_id"] = 42;
        await session.CommitAsync(Token);
        Assert.Equal(1, await new SessionDirectory(manager).EndAllAsync("42", Token));
        Assert.Equal([1.0], _meters["redissessions.sessions.destroyed{reason=directory}"]);
    }

    [Fact]
    public async Task Two_engines_of_one_application_have_one_meter_and_tell_their_handlers_apart()
    {
        var names = new List<string>();
        using var listener = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == _meters && instrument.Name == "redissessions.sessions.issued")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) => names.Add((string)tags[0].Value!));
        listener.Start();
        _engine.Options.Handler = "second";
        foreach (var manager in new[] { _engine.Manager, _engine.New(_engine.Store, _meters) })
        {
            var session = manager.Create();
            session["n"] = 1;
            await session.CommitAsync(Token);
        }

        Assert.Equal(["TroubledHandler", "second"], names);
        Assert.Single(_meters.Instruments, instrument => instrument.Name == "redissessions.sessions.issued");
    }
}
