using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RedisSessions.Diagnostics;
using RedisSessions.Locking;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// The engine, the same for every handler: loads a session, and commits it by compare-and-swap, replaying the request's changes whenever
/// another request was faster. Knows no HTTP.
/// </summary>
public sealed class SessionManager
{
    // How many forwards in a row are followed: a client that rotates on every request within the grace time, not a loop.
    private const int MaxForwards = 8;

    private readonly ISessionHandler _handler;
    private readonly RedisSessionsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SessionManager> _logger;
    private readonly string _handlerName;

    /// <summary>Creates the engine over a handler.</summary>
    /// <param name="handler">Where records live.</param>
    /// <param name="options">Read once.</param>
    /// <param name="time">For deadlines and waiting.</param>
    /// <param name="logger">Where conflicts are reported.</param>
    public SessionManager(ISessionHandler handler, IOptions<RedisSessionsOptions> options, TimeProvider time, ILogger<SessionManager> logger)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        _handler = handler;
        _options = options.Value;
        _time = time;
        _logger = logger;
        UserPath = SessionPath.Parse(_options.UserKey);
        _handlerName = _options.Handler ?? handler.GetType().Name;
    }

    /// <summary>A new, empty session. No I/O: nothing is stored until something is written and committed.</summary>
    /// <param name="access">What the request may do with it.</param>
    public Session Create(SessionAccess access = SessionAccess.Optimistic) => new(this, null, SessionTree.Empty(), access, Now);

    /// <summary>A session that stands in for one that cannot be read: empty, and never stored.</summary>
    public Session CreateDetached() => new(this, null, SessionTree.Empty(), SessionAccess.Optimistic, Now) { End = SessionEnd.Detached };

    /// <summary>
    /// Loads a session and slides its idle deadline: one round trip. An id that the store does not know, or whose session has ended, gives a
    /// new, empty session with an id of its own; the one that came is never adopted.
    /// </summary>
    /// <param name="id">What the cookie holds.</param>
    /// <param name="access">What the request may do with the session.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="SessionStoreException">The store failed, or holds something unreadable.</exception>
    public async ValueTask<Session> LoadAsync(SessionId id, SessionAccess access = SessionAccess.Optimistic, CancellationToken cancellationToken = default)
    {
        var (key, record) = await ReadAsync(SessionKey.From(id), cancellationToken).ConfigureAwait(false);
        if (record is not { State: SessionState.Live })
        {
            var empty = Create(access);
            if (record is { State: SessionState.Replaced })
            {
                Log.ReplacedIdUsed(_logger);
                empty.End = SessionEnd.Replaced;
            }

            return empty;
        }

        var session = new Session(this, id, Open(record), access, record.CreatedAt);
        session.Attach(record, key);
        return session;
    }

    /// <summary>Commits what a session has become; nothing when nothing has changed. <see cref="Session.CommitAsync"/> is the same.</summary>
    /// <param name="session">A session of this manager.</param>
    /// <param name="cancellationToken">Gives up waiting; a commit already sent is not taken back.</param>
    /// <exception cref="SessionConflictException">Another request changed what this one has read, or the session has ended. Nothing was stored.</exception>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    /// <exception cref="SessionTooLargeException">The session is larger than <see cref="RedisSessionsOptions.MaxSize"/>. Nothing was stored.</exception>
    public ValueTask CommitAsync(Session session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.AgeFlash();
        return session.HasWork ? CommitAsync(session, default, rerun: null, cancellationToken) : ValueTask.CompletedTask;
    }

    /// <summary>What the response has to do about the cookie, given what has been committed so far.</summary>
    /// <param name="session">A session of this manager.</param>
    public static SessionCookieAction CookieFor(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Cookie;
    }

    /// <summary>Whether committing now would give the browser a new cookie: impossible once the response has started.</summary>
    /// <param name="session">A session of this manager.</param>
    public static bool WillIssueCookie(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return session.Fate is SessionFate.Rotate or SessionFate.Replace || (session.IsNew && session.Work.Changes.Count > 0 && session.End != SessionEnd.Detached);
    }

    /// <summary>Forgets what a session's request has changed since its last commit: the request failed, and so did its transaction.</summary>
    /// <param name="session">A session of this manager.</param>
    public static void Rollback(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Rollback();
    }

    internal async ValueTask CommitAsync(
        Session session, Session.Savepoint savepoint, Func<ValueTask>? rerun, CancellationToken cancellationToken)
    {
        session.AgeFlash();
        if (!session.HasWork || session.End == SessionEnd.Detached)
            return;
        if (session.OutcomeUnknown)
            throw new SessionStoreException(_handlerName, "commit", "an earlier commit of this request got no answer, and its changes are not sent a second time.");
        var commit = new SessionCommit(this, session, savepoint, rerun, cancellationToken);
        if (session.Base is null)
        {
            await commit.CreateAsync().ConfigureAwait(false);
            return;
        }

        using var turn = await Queue.EnterAsync(session.Key, _options.CommitTimeout, _time, cancellationToken).ConfigureAwait(false)
            ?? throw commit.GiveUp();
        await commit.ReplaceAsync(turn).ConfigureAwait(false);
    }

    internal ISessionHandler Handler => _handler;

    /// <summary>The simulation sets it, to stay on one thread.</summary>
    internal CommitQueue Queue { get; init; } = new();

    /// <summary>Spreads a crowd. The simulation sets it, to be repeatable.</summary>
    internal Random Jitter { get; init; } = Random.Shared;

    internal RedisSessionsOptions Options => _options;

    internal SessionPath UserPath { get; }

    internal TimeProvider Time => _time;

    internal ILogger Logger => _logger;

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Reads a record and follows forwards; what has passed its absolute deadline is not there any more.</summary>
    internal async ValueTask<(SessionKey Key, SessionRecord? Record)> ReadAsync(SessionKey key, CancellationToken cancellationToken)
    {
        for (var hops = 0; ; hops++)
        {
            var record = await _handler.ReadAsync(key, _options.IdleTimeout, cancellationToken).ConfigureAwait(false);
            if (record is null || record.AbsoluteDeadline <= Now)
                return (key, null);
            if (record.State != SessionState.Forward)
                return (key, record);
            if (hops == MaxForwards)
                return (key, null);
            key = Target(record);
        }
    }

    internal SessionTree Open(SessionRecord record)
    {
        try
        {
            return record.PayloadFormat == PayloadFormat.MessagePack
                ? SessionTree.Read(record.Payload)
                : throw new FormatException($"the record has payload format {record.PayloadFormat}, which a live session does not");
        }
        catch (FormatException e)
        {
            throw Unreadable(e);
        }
    }

    internal SessionKey Target(SessionRecord forward)
    {
        try
        {
            return SessionKey.FromBytes(forward.Payload.Span);
        }
        catch (FormatException e)
        {
            throw Unreadable(e);
        }
    }

    private SessionStoreException Unreadable(FormatException e) => new(_handlerName, "read", e.Message, e);
}
