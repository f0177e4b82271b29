using System.Diagnostics.Metrics;
using System.Globalization;
using System.Security.Cryptography;
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
public sealed partial class SessionManager
{
    private readonly ISessionHandler _handler;
    private readonly RedisSessionsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SessionManager> _logger;
    private readonly string _handlerName;
    private readonly SessionPath _userPath;
    private readonly RecordSeal _seal;
    private readonly Func<FormatException, Exception> _unreadable;
    private readonly LeaseQueue? _leases;

    /// <summary>Creates the engine over a handler.</summary>
    /// <param name="handler">Where records live.</param>
    /// <param name="options">Read once.</param>
    /// <param name="time">For deadlines and waiting.</param>
    /// <param name="logger">Where conflicts are reported.</param>
    /// <param name="protector">Encrypts the values; null leaves them as they are.</param>
    /// <param name="meters">Where the meter <c>RedisSessions</c> comes from; null for one that all engines made in this way share.</param>
    public SessionManager(
        ISessionHandler handler, IOptions<RedisSessionsOptions> options, TimeProvider time, ILogger<SessionManager> logger, ISessionPayloadProtector? protector = null,
        IMeterFactory? meters = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        _handler = handler;
        IdFormat = handler.IdFormat;
        _options = options.Value;
        _time = time;
        _logger = logger;
        _seal = new RecordSeal(protector);
        _unreadable = Unreadable;
        _leases = handler is ISessionLeases leases ? new LeaseQueue(leases, _options, time, logger) : null;
        _userPath = SessionPath.Parse(_options.UserKey);
        _handlerName = _options.Handler ?? handler.GetType().Name;
        if (IdFormat != SessionIdFormat.Standard)
            RefuseWhatPhpCannot(protector);
        Metrics = new SessionMetrics(_handlerName, meters);
        Store = new ObservedStore(handler, Metrics, time, NearCacheOver(handler));
    }

    /// <summary>Which ids sessions have, here and in their cookies: the handler says it.</summary>
    public SessionIdFormat IdFormat { get; }

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
    /// <exception cref="SessionBusyException">The turn for exclusive access did not come in time, or too many were waiting for it already.</exception>
    public ValueTask<Session> LoadAsync(SessionId id, SessionAccess access = SessionAccess.Optimistic, CancellationToken cancellationToken = default) =>
        LoadAsync(id, access, import: null, cancellationToken);

    /// <summary>
    /// Loads a session that may still be elsewhere: when the store does not know the id, the values are asked for once and become a session of this id at the next
    /// commit. Of several requests that do so at once, one makes the session and the others find it.
    /// </summary>
    /// <param name="id">An id made from a secret that only the visitor's browser has, the same one every time.</param>
    /// <param name="values">What is elsewhere, by literal key; null when there is nothing: then the session is new and has an id of its own.</param>
    /// <param name="access">What the request may do with the session.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="SessionStoreException">The store failed, or holds something unreadable.</exception>
    /// <exception cref="SessionBusyException">The turn for exclusive access did not come in time, or too many were waiting for it already.</exception>
    public ValueTask<Session> ImportAsync(
        SessionId id, Func<CancellationToken, ValueTask<IReadOnlyDictionary<string, byte[]>?>> values, SessionAccess access = SessionAccess.Optimistic,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        return LoadAsync(id, access, values, cancellationToken);
    }

    /// <summary>Ends a request's exclusive access; nothing for any other. Call it when the request is over, whatever became of it.</summary>
    /// <param name="session">A session of this manager.</param>
    /// <param name="cancellationToken">Gives up waiting for the store; the lease is given back all the same, or ends by itself.</param>
    public static async ValueTask ReleaseAsync(Session session, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (session.Lease is not { } lease)
            return;
        session.Lease = null;
        await lease.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
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
        return session.Fate is SessionFate.Rotate or SessionFate.Replace || (session.IsNew && session.HasWork && session.End != SessionEnd.Detached);
    }

    /// <summary>Forgets what a session's request has changed since its last commit: the request failed, and so did its transaction.</summary>
    /// <param name="session">A session of this manager.</param>
    public static void Rollback(Session session)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Rollback();
    }

    internal ValueTask CommitAsync(
        Session session, Session.Savepoint savepoint, Func<ValueTask>? rerun, CancellationToken cancellationToken)
    {
        session.AgeFlash();
        if (!session.HasWork || session.End == SessionEnd.Detached)
            return ValueTask.CompletedTask;
        var commit = new SessionCommit(this, session, savepoint, rerun, cancellationToken);
        return Metrics.ObservesCommits || SessionTracing.IsOn ? ObserveAsync(commit) : commit.RunAsync();
    }

    /// <summary>For what some handlers can do besides; <see cref="Store"/> is the way to what all can.</summary>
    internal ISessionHandler Handler => _handler;

    internal ObservedStore Store { get; }

    internal SessionMetrics Metrics { get; }

    /// <summary>The simulation sets it, to stay on one thread.</summary>
    internal CommitQueue Queue { get; init; } = new();

    /// <summary>Spreads a crowd. The simulation sets it, to be repeatable.</summary>
    internal Random Jitter { get; init; } = Random.Shared;

    internal RedisSessionsOptions Options => _options;

    internal TimeProvider Time => _time;

    internal ILogger Logger => _logger;

    internal DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Where PHP's records are stored, PHP has to be able to read them, and sends no messages.</summary>
    private void RefuseWhatPhpCannot(ISessionPayloadProtector? protector)
    {
        if (protector is not null)
            throw new InvalidOperationException($"ProtectPayload() is called, and the session handler '{_handlerName}' has the layout of a PHP application, which could not read what is encrypted: leave it out, or use the layout Standard.");
        if (_options.NearCache.MaxStaleness > TimeSpan.Zero)
            throw new InvalidOperationException($"Sessions:NearCache:MaxStaleness is {_options.NearCache.MaxStaleness}, and the session handler '{_handlerName}' has the layout of a PHP application, which sends no messages of changes: set it to zero.");
    }

    /// <summary>Whether a record is known to be newer than another. Digests are only the same or not, so what is newer is then found out from the store.</summary>
    internal bool IsNewer(SessionRecord record, SessionRecord other) => IdFormat == SessionIdFormat.Standard && record.Version.Count > other.Version.Count;

    private NearCache? NearCacheOver(ISessionHandler handler) => _options.NearCache.MaxStaleness <= TimeSpan.Zero ? null
        : handler is ISessionChanges changes ? new NearCache(changes, _options, _time, Metrics)
        : throw new InvalidOperationException(
            $"Sessions:NearCache:MaxStaleness is {_options.NearCache.MaxStaleness}, and the session handler '{_handlerName}' sends no messages of changes: use the Redis handler, implement ISessionChanges, or set it to zero.");

    internal SessionTree Open(SessionRecord record, SessionKey key)
    {
        try
        {
            return SessionTree.Read(_seal.Open(RecordSeal.Part.Payload, key, record, record.Payload), _unreadable);
        }
        catch (FormatException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>What a record says of its sign-in; null when it is nobody's.</summary>
    /// <exception cref="SessionStoreException">It cannot be read or believed.</exception>
    internal SessionNotes? NotesOf(SessionRecord record, SessionKey key)
    {
        if (record.Notes.IsEmpty)
            return null;
        try
        {
            return SessionNotes.Read(_seal.Open(RecordSeal.Part.Notes, key, record, record.Notes));
        }
        catch (FormatException e)
        {
            throw Unreadable(e);
        }
    }

    /// <summary>How the parts of records are stored.</summary>
    internal RecordSeal Sealing => _seal;

    /// <summary>A part of a record as it is stored.</summary>
    /// <exception cref="SessionStoreException">It could not be encrypted.</exception>
    internal ReadOnlyMemory<byte> Seal(RecordSeal.Part part, SessionKey key, SessionRecord header, ReadOnlyMemory<byte> content)
    {
        try
        {
            return _seal.Close(part, key, header, content);
        }
        catch (CryptographicException e)
        {
            throw new SessionStoreException(
                _handlerName, "commit", "the session could not be encrypted: can this instance read its Data Protection key ring? Nothing was stored.", e);
        }
    }

    /// <summary>Whose session these values are, as text; what is neither a string nor an integer names nobody.</summary>
    internal string? UserOf(SessionTree values) =>
        values.TryGet(_userPath, out var value) && value.Kind is SessionValueKind.String or SessionValueKind.Integer
        && Convert.ToString(value.ToObject(), CultureInfo.InvariantCulture) is { Length: > 0 } user
            ? user
            : null;

    /// <summary>Whether a request has made its session another user's.</summary>
    internal bool ChangesUser(Transaction work) => work.Changes.Touches(_userPath) && UserOf(work.View) != UserOf(work.Snapshot);

    /// <summary>Where a forward leads to.</summary>
    /// <exception cref="SessionStoreException">It cannot be read or believed.</exception>
    internal SessionKey Target(SessionRecord forward, SessionKey key)
    {
        try
        {
            return SessionKey.FromBytes(_seal.Open(RecordSeal.Part.Target, key, forward, forward.Payload).Span);
        }
        catch (FormatException e)
        {
            throw Unreadable(e);
        }
    }

    internal SessionStoreException Failed(string what) => new(_handlerName, "commit", what);

    private SessionStoreException Unreadable(FormatException e) => new(_handlerName, "read", e.Message, e);
}
