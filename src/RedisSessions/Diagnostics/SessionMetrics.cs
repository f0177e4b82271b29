using System.Diagnostics.Metrics;

namespace RedisSessions.Diagnostics;

/// <summary>
/// Every instrument of the engine, in the meter <c>RedisSessions</c>. Tags are words out of short lists: never an id, a key, a path or a value. docs/operations.md
/// lists them, and a test compares.
/// </summary>
internal sealed class SessionMetrics
{
    public const string MeterName = "RedisSessions";

    // Engines that were made by hand have one meter together: a meter lives as long as the process.
    private static readonly Meter Shared = new(MeterName);

    // The boundaries of OpenTelemetry's database metrics; a wait may last Sessions:LeaseWait.
    private static readonly InstrumentAdvice<double>
        Durations = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
        Waits = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60] };

    private static readonly InstrumentAdvice<int> Sizes = new() { HistogramBucketBoundaries = [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304] };

    private readonly KeyValuePair<string, object?> _handler;
    private readonly Histogram<double> _load, _commit, _wait, _store;
    private readonly Histogram<int> _payload;
    private readonly Counter<long> _conflicts, _rebases, _retries, _lostAnswers, _rejected, _storeFailures, _issued, _regenerated, _destroyed, _imported, _collected, _nearReads;

    /// <param name="handler">The name of the handler; a tag of everything.</param>
    /// <param name="meters">Where the application's meters come from; null for one that all such engines share.</param>
    public SessionMetrics(string handler, IMeterFactory? meters)
    {
        Handler = handler;
        _handler = new("handler", handler);
        var meter = meters?.Create(MeterName) ?? Shared;
        _load = meter.CreateHistogram("redissessions.load.duration", "s", "Loading a session, with the wait for exclusive access.", tags: null, Durations);
        _commit = meter.CreateHistogram("redissessions.commit.duration", "s", "Committing a session, with waiting in line and every try.", tags: null, Durations);
        _wait = meter.CreateHistogram("redissessions.wait.duration", "s", "Waiting for other requests of the same session.", tags: null, Waits);
        _store = meter.CreateHistogram("redissessions.store.duration", "s", "One call of the handler, with its own retries.", tags: null, Durations);
        _payload = meter.CreateHistogram("redissessions.payload.size", "By", "The payload of a record that was read or committed.", tags: null, Sizes);
        _conflicts = meter.CreateCounter<long>("redissessions.commit.conflicts", "{conflict}", "Tries that met a newer version.");
        _rebases = meter.CreateCounter<long>("redissessions.commit.rebases", "{rebase}", "Commits moved onto a newer version.");
        _retries = meter.CreateCounter<long>("redissessions.commit.retries", "{retry}", "Tries after the first one of a commit.");
        _lostAnswers = meter.CreateCounter<long>("redissessions.commit.lost_answers", "{commit}", "Commits that found themselves stored although their answer was lost.");
        _rejected = meter.CreateCounter<long>("redissessions.rejected", "{request}", "Requests refused because of their session.");
        _storeFailures = meter.CreateCounter<long>("redissessions.store.failures", "{failure}", "Calls of the handler that failed.");
        _issued = meter.CreateCounter<long>("redissessions.sessions.issued", "{session}", "New sessions stored.");
        _regenerated = meter.CreateCounter<long>("redissessions.sessions.regenerated", "{session}", "Sessions that got a new id.");
        _destroyed = meter.CreateCounter<long>("redissessions.sessions.destroyed", "{session}", "Sessions ended before their time.");
        _imported = meter.CreateCounter<long>("redissessions.sessions.imported", "{session}", "Sessions taken over from elsewhere.");
        _nearReads = meter.CreateCounter<long>("redissessions.near_cache.reads", "{read}", "Reads that the near cache was asked for.");
        _collected = meter.CreateCounter<long>("redissessions.sessions.collected", "{session}", "Expired sessions removed from a store that does not do so itself.");
    }

    public string Handler { get; }

    // Whether anybody listens: when not, nothing is measured, and nothing is allocated.
    public bool ObservesLoads => _load.Enabled || _rejected.Enabled;

    public bool ObservesCommits => _commit.Enabled || _rejected.Enabled;

    public bool ObservesWaits => _wait.Enabled;

    public bool ObservesStore => _store.Enabled || _payload.Enabled || _storeFailures.Enabled;

    public void Loaded(TimeSpan elapsed, SessionAccess access, string outcome) =>
        _load.Record(elapsed.TotalSeconds, _handler, new("access", Word(access)), new("outcome", outcome));

    public void Committed(TimeSpan elapsed, string outcome) => _commit.Record(elapsed.TotalSeconds, _handler, new("outcome", outcome));

    /// <param name="elapsed">How long.</param>
    /// <param name="reason">lease or commit.</param>
    /// <param name="outcome">turn, busy, failed or cancelled.</param>
    public void Waited(TimeSpan elapsed, string reason, string outcome) =>
        _wait.Record(elapsed.TotalSeconds, _handler, new("reason", reason), new("outcome", outcome));

    public void Called(TimeSpan elapsed, string operation, string outcome) =>
        _store.Record(elapsed.TotalSeconds, _handler, new("operation", operation), new("outcome", outcome));

    public void StoreFailed(string operation, string errorType) =>
        _storeFailures.Add(1, _handler, new("operation", operation), new("error.type", errorType));

    public void Payload(int size, string operation) => _payload.Record(size, _handler, new("operation", operation));

    public void Conflict() => _conflicts.Add(1, _handler);

    /// <param name="reason">replay: the changes; rerun: the delegate of UpdateAsync.</param>
    public void Rebased(string reason) => _rebases.Add(1, _handler, new("reason", reason));

    public void Retry() => _retries.Add(1, _handler);

    public void LostAnswer() => _lostAnswers.Add(1, _handler);

    /// <param name="reason">conflict, ended, tries, lease_lost, too_large or busy.</param>
    public void Rejected(string reason) => _rejected.Add(1, _handler, new("reason", reason));

    public void Issued() => _issued.Add(1, _handler);

    /// <param name="reason">login: the old id is dead; rotation: it leads to the new one for a while.</param>
    public void Regenerated(string reason) => _regenerated.Add(1, _handler, new("reason", reason));

    /// <param name="reason">request: by its own request; directory: by another.</param>
    public void Destroyed(string reason) => _destroyed.Add(1, _handler, new("reason", reason));

    public void Imported() => _imported.Add(1, _handler);

    /// <param name="outcome">hit; miss; deaf: messages do not arrive, and nothing is served.</param>
    public void NearRead(string outcome)
    {
        if (_nearReads.Enabled)
            _nearReads.Add(1, _handler, new("outcome", outcome));
    }

    public void Collected(int count) => _collected.Add(count, _handler);

    internal static string Word(SessionAccess access) => access switch
    {
        SessionAccess.Exclusive => "exclusive",
        SessionAccess.ReadOnly => "read_only",
        SessionAccess.None => "none",
        _ => "optimistic",
    };
}
