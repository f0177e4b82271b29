using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;
using RedisSessions.Redis;
using StackExchange.Redis;

namespace RedisSessions;

/// <summary>
/// Records in Redis: one string per session, <c>{prefix}{key}</c>. Reading is one GETEX, committing is one script. Redis expires by itself.
/// </summary>
internal sealed class RedisSessionHandler : ISessionHandler
{
    private readonly RedisConnection _connection;
    private readonly RedisSelfTest _selfTest;
    private readonly RedisHandlerOptions _options;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _retry;

    public RedisSessionHandler(
        RedisConnection connection, RedisSelfTest selfTest, IOptions<RedisHandlerOptions> options, TimeProvider time, ILogger<RedisSessionHandler> logger)
    {
        _connection = connection;
        _selfTest = selfTest;
        _options = options.Value;
        _time = time;
        _retry = StoreRetry.Create(_options.Tries, time, logger);
    }

    /// <inheritdoc/>
    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        RunAsync("read", (Handler: this, Key: Name(key), idleTimeout), static async (state, database, cancellationToken) =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var value = await database.StringGetSetExpiryAsync(state.Key, state.idleTimeout).WaitAsync(cancellationToken).ConfigureAwait(false);
            if (value.IsNull)
                return null;
            var record = RecordFormat.Read((byte[])value!);
            // GETEX has moved the deadline of a closed record too, which is not to live longer than it was made for.
            if (record.State != SessionState.Live)
                await database.KeyExpireAsync(state.Key, record.AbsoluteDeadline.UtcDateTime, flags: CommandFlags.FireAndForget).ConfigureAwait(false);
            return record;
        }, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        var version = expected == SessionVersion.None ? [] : new byte[RecordFormat.VersionLength];
        if (version.Length > 0)
            RecordFormat.WriteVersion(expected, version);
        var milliseconds = (long)record.Lifetime(_time.GetUtcNow(), idleTimeout).TotalMilliseconds;
        var commit = new Commit([Name(key)], [version, RecordFormat.Write(record), milliseconds, RecordFormat.VersionOffset], expected);

        // Cancellation ends with the first try: once sent, the commit happens whether anybody waits for it or not, so its answer is waited for.
        return RunAsync("commit", commit, static async (commit, database, cancellationToken) =>
        {
            var mayHaveBeenSent = commit.Sent;
            if (!mayHaveBeenSent)
                cancellationToken.ThrowIfCancellationRequested();
            commit.Sent = true;
            var answer = await database.ScriptEvaluateAsync(RedisScripts.Commit, commit.Keys, commit.Values).ConfigureAwait(false);
            if (answer.Resp2Type == ResultType.Integer)
                return (int)answer == 1 ? CommitResult.Committed.Instance : (CommitResult)CommitResult.Gone.Instance;

            var current = RecordFormat.Read((byte[])answer!);
            if (mayHaveBeenSent && !current.RemembersCommitsSince(commit.Expected))
            {
                throw new SessionStoreException("redis", "commit",
                    "an answer was lost, and so many commits followed that it cannot be told whether this one was stored; it was not tried again.");
            }

            return new CommitResult.Conflict(current);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        RunAsync("delete", (Name: Name(key), Sent: new StrongBox<bool>()), static async (delete, database, cancellationToken) =>
        {
            if (!delete.Sent.Value)
                cancellationToken.ThrowIfCancellationRequested();
            delete.Sent.Value = true;
            return await database.KeyDeleteAsync(delete.Name).ConfigureAwait(false);
        }, cancellationToken);

    private RedisKey Name(SessionKey key) => _options.KeyPrefix + key.Value;

    private async ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, IDatabase, CancellationToken, Task<TResult>> run, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        try
        {
            await _selfTest.PassedAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            // Each try decides itself whether it can still be cancelled: the pipeline would also give up on what has been sent.
            return await _retry.ExecuteAsync(
                static async (all, _) =>
                {
                    var database = await all.Connection.DatabaseAsync(all.Cancellation).ConfigureAwait(false);
                    return await all.Run(all.State, database, all.Cancellation).ConfigureAwait(false);
                },
                (Connection: _connection, State: state, Run: run, Cancellation: cancellationToken),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", verb, e.Message, e);
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            var elapsed = _time.GetElapsedTime(started).TotalMilliseconds;
            throw new SessionStoreException("redis", verb, string.Create(CultureInfo.InvariantCulture,
                $"Redis did not answer as it should ({e.GetType().Name}, after {elapsed:F0} ms). Is it up, reachable and allowed to run scripts?"), e);
        }
    }

    /// <summary>A commit through its tries: the second one knows that the first may have arrived.</summary>
    private sealed class Commit(RedisKey[] keys, RedisValue[] values, SessionVersion expected)
    {
        public RedisKey[] Keys { get; } = keys;

        public RedisValue[] Values { get; } = values;

        public SessionVersion Expected { get; } = expected;

        public bool Sent { get; set; }
    }
}
