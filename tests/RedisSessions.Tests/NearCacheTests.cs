using CsCheck;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Sessions that are read from the process: how old they may be, and that no writer is harmed by it. Messages are delivered by hand.</summary>
public sealed class NearCacheTests : IDisposable
{
    private static readonly TimeSpan MaxStaleness = TimeSpan.FromSeconds(30);
    private readonly Meters _meters = new();
    private readonly Engine _engine;
    private readonly Messages _messages = new();
    private readonly TellingHandler _handler;
    private readonly SessionManager _near, _other;

    public NearCacheTests()
    {
        _engine = new Engine();
        _engine.Options.NearCache.MaxStaleness = MaxStaleness;
        _engine.Options.NearCache.MaxBytes = 1024 * 1024;
        _handler = new TellingHandler(_engine.Store, _messages);
        _near = _engine.New(_handler, _meters);
        _other = _engine.New(new TellingHandler(_engine.Store, _messages));
    }

    public void Dispose() => _meters.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_read_a_moment_ago_is_not_read_again()
    {
        var id = await _engine.StoredAsync(("a", 1), ("b", 2));
        for (var i = 0; i < 5; i++)
            Assert.Equal(1, (await LoadAsync(id)).Get<int>("a"));
        Assert.Equal(1, _handler.Reads);
        Assert.Equal(4, Counted("hit"));
        Assert.Equal(1, Counted("miss"));
    }

    [Fact]
    public async Task What_this_process_commits_it_need_not_read()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await WriteAsync(_near, id, session => session["a"] = 2);
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
        Assert.Equal(1, _handler.Reads);
    }

    [Fact]
    public async Task A_message_ends_what_is_known()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        await WriteAsync(_other, id, session => session["a"] = 2);
        Assert.Equal(1, (await LoadAsync(id)).Get<int>("a"));
        _messages.Deliver();
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
        Assert.Equal(2, _handler.Reads);
    }

    [Fact]
    public async Task Without_messages_nothing_is_served_that_is_older_than_allowed()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        await WriteAsync(_other, id, session => session["a"] = 2);
        _engine.Time.Advance(MaxStaleness - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, (await LoadAsync(id)).Get<int>("a"));
        _engine.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
    }

    [Fact]
    public async Task A_store_that_was_rolled_back_is_believed_and_its_lower_version_kept_once_what_was_known_is_too_old()
    {
        var id = await _engine.StoredAsync(("a", 1));
        var backup = _engine.Store.Bytes(SessionKey.From(id))!.ToArray();
        await WriteAsync(_near, id, session => session["a"] = 2);
        _engine.Store.Plant(SessionKey.From(id), backup);
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
        _engine.Time.Advance(MaxStaleness);
        Assert.Equal(1, (await LoadAsync(id)).Get<int>("a"));
        var reads = _handler.Reads;
        Assert.Equal(1, (await LoadAsync(id)).Get<int>("a"));
        Assert.Equal(reads, _handler.Reads);
    }

    [Fact]
    public async Task A_session_with_a_shorter_idle_timeout_is_known_for_a_shorter_time()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await WriteAsync(_near, id, session => session.IdleTimeout = TimeSpan.FromMinutes(2));
        await LoadAsync(id);
        Assert.Equal(1, _handler.Reads);
        _engine.Time.Advance(TimeSpan.FromSeconds(3));
        await LoadAsync(id);
        Assert.Equal(2, _handler.Reads);
    }

    [Fact]
    public async Task What_the_store_was_asked_before_a_message_came_is_not_kept_after_it()
    {
        var id = await _engine.StoredAsync(("a", 1));
        _handler.Hold = new TaskCompletionSource();
        var slow = LoadAsync(id);
        await WriteAsync(_other, id, session => session["a"] = 2);
        _messages.Deliver();
        _handler.Hold.SetResult();
        _handler.Hold = null;
        Assert.Equal(1, (await slow).Get<int>("a"));
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
    }

    [Fact]
    public async Task While_messages_may_be_lost_everything_comes_from_the_store_and_what_was_known_is_forgotten()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        _messages.Arrive = false;
        await LoadAsync(id);
        Assert.Equal(2, _handler.Reads);
        Assert.Equal(1, Counted("deaf"));

        await WriteAsync(_other, id, session => session["a"] = 2);
        _messages.Lose();
        _messages.Arrive = true;
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
    }

    [Fact]
    public async Task What_was_asked_before_messages_were_lost_is_not_kept()
    {
        var id = await _engine.StoredAsync(("a", 1));
        _handler.Hold = new TaskCompletionSource();
        var slow = LoadAsync(id);
        await WriteAsync(_other, id, session => session["a"] = 2);
        _messages.Lose();
        _handler.Hold.SetResult();
        _handler.Hold = null;
        await slow;
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("a"));
    }

    [Fact]
    public async Task A_session_that_has_ended_elsewhere_has_ended_here_with_the_message()
    {
        var destroyed = await _engine.StoredAsync(("a", 1));
        var regenerated = await _engine.StoredAsync(("a", 1));
        await LoadAsync(destroyed);
        await LoadAsync(regenerated);
        await WriteAsync(_other, destroyed, session => session.Destroy());
        await WriteAsync(_other, regenerated, session => session.RegenerateId(deleteOld: true));
        _messages.Deliver();
        Assert.True((await LoadAsync(destroyed)).IsNew);
        Assert.True((await LoadAsync(regenerated)).IsNew);
    }

    [Fact]
    public async Task A_session_that_ends_here_has_ended_at_once()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        await WriteAsync(_near, id, session => session.Destroy());
        Assert.True((await LoadAsync(id)).IsNew);
    }

    [Fact]
    public async Task Past_its_absolute_deadline_a_known_session_is_none()
    {
        _engine.Options.AbsoluteTimeout = TimeSpan.FromMinutes(20);
        var id = await _engine.StoredAsync(("a", 1));
        _engine.Time.Advance(TimeSpan.FromMinutes(20) - TimeSpan.FromSeconds(2));
        Assert.False((await LoadAsync(id)).IsNew);
        _engine.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.True((await LoadAsync(id)).IsNew);
    }

    [Fact]
    public async Task A_blind_write_from_an_old_view_is_replayed_and_one_that_read_is_refused()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        await WriteAsync(_other, id, session => session["a"] = 2);
        await WriteAsync(_near, id, session => session["b"] = 7);
        Assert.Equal("{a: 2, b: 7}", _engine.Stored(id));

        await WriteAsync(_other, id, session => session["a"] = 3);
        var error = await Assert.ThrowsAsync<SessionConflictException>(() => WriteAsync(_near, id, session => session["b"] = session.Get<int>("a")));
        Assert.Contains("'a'", error.Message, StringComparison.Ordinal);
        Assert.Equal("{a: 3, b: 7}", _engine.Stored(id));
    }

    [Fact]
    public async Task An_update_from_an_old_view_runs_again_on_the_new_one()
    {
        var id = await _engine.StoredAsync(("n", 1));
        await LoadAsync(id);
        await WriteAsync(_other, id, session => session["n"] = 10);
        var session = await LoadAsync(id);
        Assert.Equal(11, await session.UpdateAsync(session => { session["n"] = session.Get<int>("n") + 1; return session.Get<int>("n"); }, Token));
    }

    [Fact]
    public async Task Writing_into_a_known_session_changes_nobody_elses_view()
    {
        var id = await _engine.StoredAsync(("a", 1), ("deep.b", 2));
        var (one, two) = (await LoadAsync(id), await LoadAsync(id));
        one["deep.b"] = 3;
        one["deep.c"] = 4;
        Assert.Equal(2, two.Get<int>("deep.b"));
        Assert.False(two.Has("deep.c"));
        Assert.Equal(2, (await LoadAsync(id)).Get<int>("deep.b"));
    }

    [Fact]
    public async Task Exclusive_access_always_asks_the_store()
    {
        var leased = new TellingHandler(_engine.Store, _messages, withLeases: true);
        var near = _engine.New(leased);
        var id = await _engine.StoredAsync(("a", 1));
        for (var i = 0; i < 3; i++)
            await SessionManager.ReleaseAsync(await near.LoadAsync(id, SessionAccess.Exclusive, Token), Token);
        Assert.Equal(3, leased.Reads);
    }

    [Fact]
    public async Task It_takes_no_more_memory_than_it_may()
    {
        const int Sessions = 400, Size = 10_000;
        var ids = new List<SessionId>();
        for (var i = 0; i < Sessions; i++)
            ids.Add(await _engine.StoredAsync(("text", new string('x', Size))));
        var collected = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var id in ids)
            await LoadAsync(id);
        Assert.Equal(Sessions, _handler.Reads);
        foreach (var id in Enumerable.Reverse(ids))
            await LoadAsync(id);
        // The last of them, for as many bytes as there are: half of that at least.
        Assert.InRange(Counted("hit"), 1024 * 1024 / 2 / (Size + 1024), 1024 * 1024 / Size + 1);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - collected, long.MinValue, 4 * 1024 * 1024);
    }

    [Fact]
    public async Task One_huge_session_does_not_push_out_the_others()
    {
        var small = await _engine.StoredAsync(("a", 1));
        await LoadAsync(small);
        var huge = await _engine.StoredAsync(("text", new string('x', 500_000)));
        for (var i = 0; i < 3; i++)
            await LoadAsync(huge);
        Assert.Equal(4, _handler.Reads);
        await LoadAsync(small);
        Assert.Equal(4, _handler.Reads);
    }

    [Fact]
    public async Task Deleted_is_forgotten()
    {
        var id = await _engine.StoredAsync(("a", 1));
        await LoadAsync(id);
        await _near.Store.DeleteAsync(SessionKey.From(id), Token);
        Assert.True((await LoadAsync(id)).IsNew);
    }

    [Fact]
    public void A_handler_that_sends_no_messages_is_refused()
    {
        var error = Assert.Throws<InvalidOperationException>(() => _engine.New(new TroubledHandler(_engine.Store)));
        Assert.Contains("Sessions:NearCache:MaxStaleness", error.Message, StringComparison.Ordinal);
    }

    // Whatever is read, written and delivered in whatever order by three processes: every acknowledged increment is stored once, and nobody sees what was never there.
    [Fact]
    public void No_update_is_lost_however_late_messages_are() => Gen.Select(Gen.Int[0, 2], Gen.Int[0, 4]).Array[1, 60].Sample(steps =>
    {
        var engine = new Engine();
        engine.Options.NearCache.MaxStaleness = MaxStaleness;
        var messages = new Messages();
        var processes = Enumerable.Range(0, 3).Select(_ => engine.New(new TellingHandler(engine.Store, messages))).ToArray();
        var id = Done(engine.StoredAsync(("n", 0)));
        var (acknowledged, seen) = (0, new int[3]);
        foreach (var (process, step) in steps)
        {
            var session = Done(processes[process].LoadAsync(id, cancellationToken: Token).AsTask());
            switch (step)
            {
                case 0:
                    session.Increment("n");
                    Done(session.CommitAsync(Token).AsTask());
                    acknowledged++;
                    break;
                case 1:
                    Done(session.UpdateAsync(session => { session["n"] = session.Get<int>("n") + 1; return 0; }, Token).AsTask());
                    acknowledged++;
                    break;
                case 2:
                    session["n"] = session.Get<int>("n") + 1;
                    if (Xunit.Record.Exception(() => Done(session.CommitAsync(Token).AsTask())) is not { } refused)
                        acknowledged++;
                    else if (refused is not SessionConflictException)
                        return false;
                    break;
                case 3:
                    messages.Deliver();
                    break;
                default:
                    // Time goes on for a process too.
                    if (session.Get<int>("n") is var n && (n < seen[process] || n > acknowledged))
                        return false;
                    seen[process] = n;
                    break;
            }
        }

        return engine.Stored(id) == $"{{n: {acknowledged}}}";
    });

    private static T Done<T>(Task<T> task)
    {
        Done((Task)task);
        return task.GetAwaiter().GetResult();
    }

    private static void Done(Task task)
    {
        if (!task.IsCompleted)
            throw new InvalidOperationException("Over a store in memory nothing waits.");
        task.GetAwaiter().GetResult();
    }

    private Task<Session> LoadAsync(SessionId id) => _near.LoadAsync(id, cancellationToken: Token).AsTask();

    private static async Task WriteAsync(SessionManager manager, SessionId id, Action<Session> change)
    {
        var session = await manager.LoadAsync(id, cancellationToken: Token);
        change(session);
        await session.CommitAsync(Token);
    }

    private double Counted(string outcome) => _meters[$"redissessions.near_cache.reads{{outcome={outcome}}}"].Sum();
}
