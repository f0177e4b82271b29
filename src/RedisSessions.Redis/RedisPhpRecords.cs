using System.Globalization;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// Records where phpredis, or Laravel's cache, has its own: a string per session, <c>{prefix}{id}</c>, and beside it the lock that a request of PHP holds from its beginning to its end,
/// <c>{prefix}{id}_LOCK</c>. Reading waits for nobody; committing waits for the request of PHP, which would overwrite what it has not read.
/// </summary>
internal sealed class RedisPhpRecords(RedisStore store, PhpRecordFormat format, RedisHandlerOptions options, TimeProvider time)
{
    /// <summary>What the owner of a lock of ours begins with.</summary>
    public const string OwnerPrefix = "RedisSessions:";

    private const string LockSuffix = "_LOCK";
    private const int ShortestPause = 2, LongestPause = 20;

    /// <summary>The name of a session behind the prefix. A secret.</summary>
    public static string Name(SessionKey key) => key.TryGetId(out var id) ? id.Value : throw new InvalidOperationException(
        "This session's records are named by its id (Sessions:Redis:Layout), and the key gives none away: parse ids with SessionManager.IdFormat.");

    public static string LockName(SessionKey key) => Name(key) + LockSuffix;

    public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => store.RunAsync(
        "read",
        (Records: this, Store: store, Session: key, Key: store.Key(Name(key)), Format: format, idleTimeout),
        static (read, attempt) => attempt.Database.StringGetSetExpiryAsync(read.Key, read.idleTimeout),
        static (read, attempt, value) =>
        {
            if (value.IsNull)
                return null;
            var record = read.Format.Read(read.Session, (byte[])value!, read.Store.Now);
            if (record.State != SessionState.Live || record.IdleTimeout is not null)
                _ = RedisSessionHandler.SlideAsync(attempt.Database, read.Key, record, read.Store.Now, read.idleTimeout, CommandFlags.FireAndForget);
            return record;
        },
        cancellationToken);

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> current = default;
        if (record.State == SessionState.Forward)
        {
            // Its values stay for requests of PHP. If they are not those that are expected, the script says so.
            current = await store.RunAsync(
                "commit", store.Key(Name(key)), static async (name, attempt) => (byte[]?)await attempt.Database.StringGetAsync(name).ConfigureAwait(false) ?? [],
                cancellationToken).ConfigureAwait(false);
        }

        var commit = new Commit(this, key, record,
            options.PhpLock ? [store.Key(Name(key)), store.Key(LockName(key))] : [store.Key(Name(key))],
            [
                expected == SessionVersion.None ? "" : expected.Value.ToString("x16", CultureInfo.InvariantCulture), Bytes(key, record, current),
                (long)record.Lifetime(store.Now, idleTimeout).TotalMilliseconds, OwnerPrefix,
            ]);
        var started = time.GetTimestamp();
        for (var pause = ShortestPause; ; pause = Math.Min(2 * pause, LongestPause))
        {
            var result = await store.RunToTheEndAsync(
                "commit", commit, static (commit, attempt) => RedisScripts.CommitPhp.RunAsync(attempt, commit.Keys, commit.Values),
                static (commit, attempt, answer) => commit.Read(attempt, answer), cancellationToken).ConfigureAwait(false);
            if (result is not null)
                return result;
            if (time.GetElapsedTime(started) >= options.PhpLockWait)
            {
                throw new SessionStoreException("redis", "commit", string.Create(CultureInfo.InvariantCulture,
                    $"a request of PHP has had the session's lock for longer than Sessions:Redis:PhpLockWait ({options.PhpLockWait.TotalSeconds:0.###} s); nothing was stored. If it has died, its lock ends with redis.session.lock_expire."));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1 + Random.Shared.Next(pause)), time, cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) =>
        store.RunToTheEndAsync("delete", store.Key(Name(key)), static (name, attempt) => attempt.Database.KeyDeleteAsync(name), cancellationToken);

    private byte[] Bytes(SessionKey key, SessionRecord record, ReadOnlyMemory<byte> current)
    {
        try
        {
            return format.Write(key, record, current);
        }
        catch (FormatException e)
        {
            throw new SessionStoreException("redis", "commit", e.Message, e);
        }
    }

    private sealed record Commit(RedisPhpRecords Records, SessionKey Key, SessionRecord Record, RedisKey[] Keys, RedisValue[] Values)
    {
        /// <returns>Null when a request of PHP has the lock.</returns>
        public CommitResult? Read(RedisTry attempt, RedisResult answer)
        {
            if (answer.Resp2Type == ResultType.Integer)
                return (int)answer == 1 ? CommitResult.Committed.Instance : CommitResult.Gone.Instance;
            if (answer.Resp2Type == ResultType.Array)
                return null;
            var current = Records.Format.Read(Key, (byte[])answer!, Records.Now);
            if (attempt.MayBeApplied && !PhpRecordFormat.TellsWhether(Record, current))
            {
                throw new SessionStoreException("redis", "commit",
                    "an answer was lost, and the session was changed by PHP since, so that it cannot be told whether this commit was stored; it was not tried again.");
            }

            return new CommitResult.Conflict(current);
        }
    }

    private PhpRecordFormat Format => format;

    private DateTimeOffset Now => store.Now;
}
