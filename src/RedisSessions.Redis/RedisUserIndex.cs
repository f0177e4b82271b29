using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>
/// The sessions of a user in Redis: a sorted set, <c>{prefix}user:{base64url(SHA-256(user id))}</c>, of session keys with their absolute deadlines. It ends with the
/// last of them.
/// </summary>
internal sealed class RedisUserIndex(RedisStore store, TimeSpan touchInterval)
{
    // Stands among the keys while a session may be in the index that is not stored yet; far longer than a commit takes with all its tries.
    private const string Newcomers = "new";
    private static readonly TimeSpan StandsFor = TimeSpan.FromMinutes(10);

    /// <summary>Safe to repeat: a sorted set has each key once.</summary>
    public async ValueTask AddAsync(string userId, SessionKey key, DateTimeOffset absoluteDeadline, CancellationToken cancellationToken)
    {
        var now = store.Now;
        await store.RunAsync(
            "commit",
            (Keys: new[] { Name(userId) }, Values: new RedisValue[]
            {
                key.Value, Milliseconds(absoluteDeadline), Milliseconds(now), Newcomers, Milliseconds(now + StandsFor),
            }),
            static async (state, attempt) => (int)await RedisScripts.Index.RunAsync(attempt, state.Keys, state.Values).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userId);
        return store.RunAsync("find", (Index: this, Name: Name(userId)),
            static (state, attempt) => state.Index.FindAsync(attempt.Database, state.Name, attempt.CancellationToken), cancellationToken);
    }

    private async Task<IReadOnlyList<IndexedSession>> FindAsync(IDatabase database, RedisKey name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var now = store.Now;
        var members = await database.SortedSetRangeByScoreAsync(name, Milliseconds(now)).WaitAsync(cancellationToken).ConfigureAwait(false);
        // GET and PTTL, all of them at once, and never GETEX: looking moves no deadline.
        var looks = await Task.WhenAll(members.Where(member => member != Newcomers).Select(member => LookAsync(database, member)))
            .WaitAsync(cancellationToken).ConfigureAwait(false);

        List<IndexedSession> found = [];
        List<RedisValue> gone = [];
        foreach (var (member, value, left) in looks)
        {
            if (value.IsNull || !SessionKey.TryParse(member.ToString(), out var key))
            {
                gone.Add(member);
                continue;
            }

            var record = RecordFormat.Read((byte[])value!);
            // The deadline that a read has set may be beyond the absolute one, and is later than the idle timeout asks for where reads do not always move it.
            var later = record is { State: SessionState.Live, IdleTimeout: null } ? touchInterval : TimeSpan.Zero;
            var idle = left is { } time && now + time - later < record.AbsoluteDeadline ? now + time - later : record.AbsoluteDeadline;
            found.Add(new IndexedSession(key, record, idle));
        }

        if (gone.Count > 0 && !members.Contains(Newcomers))
            await database.SortedSetRemoveAsync(name, [.. gone], CommandFlags.FireAndForget).ConfigureAwait(false);
        return found;
    }

    private async Task<(RedisValue Member, RedisValue Value, TimeSpan? Left)> LookAsync(IDatabase database, RedisValue member)
    {
        var key = store.Key(member.ToString());
        var (value, left) = (database.StringGetAsync(key), database.KeyTimeToLiveAsync(key));
        return (member, await value.ConfigureAwait(false), await left.ConfigureAwait(false));
    }

    private RedisKey Name(string userId) => store.Key("user:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(userId))));

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
