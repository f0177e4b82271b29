using RedisSessions.Diagnostics;
using RedisSessions.Locking;

namespace RedisSessions;

/// <summary>
/// One commit from its first try to its end. Every try has the same commit id. A conflict brings the newer record, on which the request's
/// changes are replayed; the loop is bounded by tries and by time.
/// </summary>
internal sealed partial class SessionCommit(
    SessionManager manager, Session session, Session.Savepoint savepoint, Func<ValueTask>? rerun, CancellationToken cancellationToken)
{
    // A closed record must outlive the slowest request and the network's longest retransmission of a commit.
    internal static readonly TimeSpan ClosedLifetime = TimeSpan.FromMinutes(2);

    internal const int TriesBeforeStandingAside = 8;

    private static readonly TimeSpan LongestAside = TimeSpan.FromMilliseconds(32);
    private CommitId _id = CommitId.New();
    private readonly long _started = manager.Time.GetTimestamp();
    private int _tries;
    private long _sent;

    // What was met where a session was to be imported.
    private SessionRecord? _met;

    /// <summary>What became of it, in one word: nothing, issued, imported, committed, regenerated, destroyed or discarded.</summary>
    public string Outcome { get; private set; } = "nothing";

    /// <summary>Stores what has become of the session.</summary>
    /// <exception cref="SessionConflictException">It cannot be stored; nothing was.</exception>
    public ValueTask RunAsync() =>
        session.OutcomeUnknown ? ValueTask.FromException(manager.Failed("an earlier commit of this request got no answer, and its changes are not sent a second time."))
        : session.Base is null ? CreateAndCommitAsync()
        : CommitAsync();

    private async ValueTask CreateAndCommitAsync()
    {
        if (!await CreateAsync().ConfigureAwait(false))
            await CommitAsync().ConfigureAwait(false);
    }

    private async ValueTask CommitAsync()
    {
        var newer = _met;
        try
        {
            while (true)
            {
                if (_turn is null)
                {
                    // Stored already: it must not go on with others once more.
                    if (newer is not null && newer.HasCommit(_id) && await MoveTo(newer).ConfigureAwait(false))
                        return;
                    _turn = await manager.EnterQueueAsync(session.Key, first: _tries > 0, cancellationToken).ConfigureAwait(false) ?? throw GiveUp();
                    if (_turn.TakePassed() is CommitGroup group && await JoinAsync(group).ConfigureAwait(false))
                        newer = null;
                    if (await KeepOneRotation(session.Key).ConfigureAwait(false))
                        return;
                    // Who waited in line is told what happened meanwhile; the store would only have said the same.
                    if (_group is null && _turn.Newest is { } seen && manager.IsNewer(seen, newer ?? session.Base!))
                        newer = seen;
                }

                // What it has run on is not known to be stored, and nothing newer is known either: it runs on what it had read.
                if (_ranAhead && _group is null)
                    newer ??= session.Base;
                if (_group is null && newer is not null && await MoveTo(newer).ConfigureAwait(false))
                    return;

                CommitResult result;
                if (session.Fate == SessionFate.Keep && _newId is null)
                {
                    var (key, record) = (session.Key, Next(session.Key, session.Base!.Version));
                    result = await Send(record, key).ConfigureAwait(false);
                    Answered();
                    if (result is CommitResult.Committed)
                    {
                        (_stood, _ranAhead) = (null, false);
                        Accept(record, key);
                    }
                }
                else
                {
                    result = session.Fate == SessionFate.Destroy
                        ? await EndAsync().ConfigureAwait(false)
                        : await RegenerateAsync().ConfigureAwait(false);
                }

                switch (result)
                {
                    case CommitResult.Committed:
                        return;
                    case CommitResult.Gone:
                        StandAlone();
                        await LoseAsync().ConfigureAwait(false);
                        return;
                    case CommitResult.Conflict { Current: var current }:
                        StandAlone();
                        newer = current;
                        manager.Metrics.Conflict();
                        SessionTracing.Event("conflict");
                        Tell(session.Key, current);
                        break;
                }

                // A try that finds itself stored has not failed, even if it was the last one.
                if (newer is null || !newer.HasCommit(_id))
                    await BackOff().ConfigureAwait(false);
            }
        }
        catch
        {
            // Those who share the record fail too, or take up their changes again; this session is as it was before it stood on theirs.
            StandAlone();
            throw;
        }
        finally
        {
            if (_turn is { } turn)
            {
                // What those ahead have left to whoever is next must not be lost with this one.
                if (_group is { } group)
                    turn.Newest = await group.StoreAsync().ConfigureAwait(false) ?? turn.Newest;
                turn.Dispose();
            }
        }
    }

    /// <summary>Stores a session that the store does not know yet.</summary>
    /// <returns>False when it knows it now, and there is more to be done.</returns>
    private async ValueTask<bool> CreateAsync()
    {
        if (session.IsImported)
            return await ImportAsync().ConfigureAwait(false);
        if (session.Fate == SessionFate.Destroy)
        {
            Destroyed();
            return true;
        }

        if (session.End == SessionEnd.Lost || (session.End == SessionEnd.Replaced && session.Fate == SessionFate.Keep))
        {
            Lost();
            return true;
        }

        if (!session.Work.Changes.HasEffect)
        {
            session.Fate = SessionFate.Keep;
            return true;
        }

        for (var id = session.SessionId; ; id = SessionId.New(manager.IdFormat))
        {
            var key = SessionKey.From(id);
            var record = Next(key, SessionVersion.None);
            var result = await Store(key, SessionVersion.None, record, manager.Options.IdleTimeout).ConfigureAwait(false);
            Answered();
            // A conflict without our own commit in it would be two equal ids of 256 random bits; if so, another id.
            if (result is CommitResult.Committed || (result is CommitResult.Conflict { Current: var mine } && mine.HasCommit(_id)))
            {
                session.End = SessionEnd.None;
                session.Accept(record, _values, key, id);
                Outcome = "issued";
                manager.Metrics.Issued();
                return true;
            }
        }
    }

    /// <summary>
    /// Stores what came from elsewhere, as it came; what the request has made of it is a commit on top. So of several requests that import the same session one
    /// creates it, and the changes of all others are replayed on that.
    /// </summary>
    private async ValueTask<bool> ImportAsync()
    {
        var key = SessionKey.From(session.SessionId);
        var record = Sealed(key, SessionVersion.None, session.Work.Snapshot);
        var result = await Store(key, SessionVersion.None, record, manager.Options.IdleTimeout).ConfigureAwait(false);
        Answered();
        if (result is CommitResult.Conflict { Current: var there } && !there.HasCommit(_id))
            (_met, record) = (there, there);
        else
            manager.Metrics.Imported();
        // What follows is another commit, which must not be taken for this one.
        _id = CommitId.New();
        session.Attach(record, key);
        session.SendCookieAtNextCommit();
        if (_met is not null || session.HasWork)
            return false;
        session.Accept(record, session.Work.Snapshot, key, id: null);
        Outcome = "imported";
        return true;
    }

    private SessionConflictException GiveUp()
    {
        var elapsed = manager.Time.GetElapsedTime(_started);
        Log.GaveUp(manager.Logger, _tries, elapsed.TotalMilliseconds);
        return SessionConflictException.GaveUp(_tries, elapsed);
    }

    /// <summary>Sends a record. Whoever has the answer calls <see cref="Answered"/>: without it nobody knows whether this was stored.</summary>
    private ValueTask<CommitResult> Store(SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout)
    {
        Sends();
        return manager.Store.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
    }

    private void Sends()
    {
        _tries++;
        _sent = manager.Time.GetTimestamp();
        session.OutcomeUnknown = true;
    }

    private void Answered() => session.OutcomeUnknown = false;

    private async ValueTask BackOff()
    {
        var elapsed = manager.Time.GetElapsedTime(_started);
        if (_tries >= manager.Options.CommitTries || elapsed >= manager.Options.CommitTimeout)
        {
            await DropNewRecord().ConfigureAwait(false);
            throw GiveUp();
        }

        manager.Metrics.Retry();
        // A conflict brings the newest record, and who waits has no longer the newest: the next try is late too, and who waits each time may never be stored. Each
        // conflict means that somebody else was, so trying at once stalls nobody. Who has been late so often is in a crowd: it steps aside once, for so many round trips;
        // in a group the one who sends does.
        if (_tries != TriesBeforeStandingAside || _turn is null)
            return;
        var roundTrip = Math.Max(manager.Time.GetElapsedTime(_sent).TotalMilliseconds, 0.1);
        var most = Math.Min(roundTrip * 32, LongestAside.TotalMilliseconds);
        await Task.Delay(TimeSpan.FromMilliseconds(manager.Jitter.NextDouble() * most), manager.Time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Those who wait in line for this key learn what is stored now. After a forward this commit is about another key.</summary>
    private void Tell(SessionKey key, SessionRecord record)
    {
        if (_turn is { } turn && key == turn.Key)
            turn.Newest = record;
    }

    private void Accept(SessionRecord record, SessionKey key)
    {
        Tell(key, record);
        session.Accept(record, _values, key, id: null);
        Outcome = "committed";
    }
}
