using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Simulation;

/// <summary>
/// The sequential model: which sessions there are, what was acknowledged about them, and what may be seen. Every request tells it what it
/// was told; a promise that is broken is a <see cref="ViolationException"/>.
/// </summary>
internal sealed class Model(TimeProvider time)
{
    private readonly List<Life> _lives = [];
    private readonly Dictionary<SessionId, Life> _byId = [];
    private int _tokens;

    public int Tokens => _tokens;

    /// <summary>Ids that must lead nowhere any more.</summary>
    public List<SessionId> DeadIds { get; } = [];

    public int NextToken() => ++_tokens;

    public Life Begin()
    {
        _lives.Add(new Life(_lives.Count));
        return _lives[^1];
    }

    public Life? Of(SessionId? id) => id is { } known && _byId.TryGetValue(known, out var life) ? life : null;

    public Life Numbered(long number) => number >= 0 && number < _lives.Count ? _lives[(int)number] : throw new ViolationException($"a session of nobody: {number}");

    public bool IsDead(SessionId id) => Of(id) is { } life && (life.Ended || life.Replaced.ContainsKey(id));

    /// <summary>Whether an id was replaced at a login not so long ago that its closed record is gone.</summary>
    public bool WasReplacedLately(SessionId id) =>
        Of(id) is { Ended: false, MayHaveEnded: false, Uncertain: false } life && !life.Rotated.Contains(id) && life.Replaced.TryGetValue(id, out var at)
        && time.GetUtcNow() - at < TimeSpan.FromSeconds(100);

    public void Issue(Life life, SessionId id)
    {
        if (_byId.TryGetValue(id, out var other) && other != life)
            throw new ViolationException($"the id of session {other.Number} was issued for session {life.Number}");
        _byId[id] = life;
        if (!life.Ids.Contains(id))
            life.Ids.Add(id);
        if (life.Ended)
            DeadIds.Add(id);
    }

    public void Replace(Life life, IEnumerable<SessionId> olds)
    {
        foreach (var old in olds)
        {
            if (life.Replaced.TryAdd(old, time.GetUtcNow()))
                DeadIds.Add(old);
        }
    }

    public void End(Life life)
    {
        life.Ended = true;
        DeadIds.AddRange(life.Ids);
    }

    /// <summary>What a request sees must be whole, and hold all that was acknowledged before it began.</summary>
    public static void CheckSeen(Life life, IReadOnlyDictionary<string, object?> all, int acknowledgedBefore)
    {
        var present = CheckWhole(life, all);
        for (var i = 0; i < acknowledgedBefore; i++)
        {
            if (!present.Contains(life.Acknowledged[i]))
                throw new ViolationException($"session {life.Number} has lost the acknowledged change {life.Acknowledged[i]}");
        }
    }

    /// <summary>At the end: everything that was acknowledged is stored, once; what was refused is not; what has ended stays so.</summary>
    public void CheckEnd(MemorySessionHandler store, IReadOnlySet<SessionId> cookies)
    {
        var live = store.All().Where(entry => entry.Record.State == SessionState.Live)
            .Select(entry => (entry.Key, All: new SessionValue(entry.Record.Payload).ToObject() as IReadOnlyDictionary<string, object?>))
            .Select(entry => (entry.Key, Life: LifeIn(entry.All!), Present: CheckWhole(LifeIn(entry.All!), entry.All!)))
            .ToLookup(entry => entry.Life);
        foreach (var life in _lives)
        {
            var reachable = life.Ids.ConvertAll(id => Follow(store, id));
            foreach (var (key, _, present) in live[life])
            {
                // A record that nobody has an id of may be left from a regeneration that died or was refused; it expires.
                if (reachable.Contains(key) && life.Refused.FirstOrDefault(present.Contains) is var refused and not 0)
                    throw new ViolationException($"session {life.Number} holds the change {refused}, which was refused");
            }

            foreach (var id in life.Ids.Where(id => IsDead(id) && Follow(store, id) is not null))
                throw new ViolationException($"an id of session {life.Number} works again, which {(life.Ended ? "was destroyed" : "had been replaced")}");

            if (life is { Acknowledged.Count: > 0, Ended: false, MayHaveEnded: false }
                && !live[life].Any(entry => life.Acknowledged.TrueForAll(entry.Present.Contains)))
            {
                throw new ViolationException($"session {life.Number} is not stored with everything that was acknowledged");
            }

            if (life is { Ended: false, MayHaveEnded: false, Uncertain: false }
                && life.Ids.Exists(id => cookies.Contains(id) && !IsDead(id) && Follow(store, id) is null))
            {
                throw new ViolationException($"session {life.Number} has disappeared: its cookie leads nowhere");
            }
        }
    }

    private Life LifeIn(IReadOnlyDictionary<string, object?> all) => Numbered(all["life"] as long? ?? -1);

    /// <summary>One commit is all or nothing: the count, the log and the sum of updates agree, and no token is there twice.</summary>
    private static HashSet<int> CheckWhole(Life life, IReadOnlyDictionary<string, object?> all)
    {
        var log = Numbers(all, "log");
        var present = log.Select(token => (int)token).ToHashSet();
        if (present.Count != log.Count)
            throw new ViolationException($"session {life.Number} holds a change twice: {string.Join(' ', log)}");
        if ((all.GetValueOrDefault("n") as long? ?? 0) != log.Count)
            throw new ViolationException($"session {life.Number} counts {all.GetValueOrDefault("n")} changes and lists {log.Count}");
        var updates = Numbers(all, "updates");
        if ((all.GetValueOrDefault("sum") as long? ?? 0) != updates.Count)
            throw new ViolationException($"session {life.Number} has the sum {all.GetValueOrDefault("sum")} after {updates.Count} updates: one was lost");
        foreach (var token in updates)
            present.Add((int)token);
        if (all.GetValueOrDefault("set") is IReadOnlyDictionary<string, object?> set)
            present.UnionWith(set.Values.Select(token => (int)(long)token!));
        return present;
    }

    private static List<long> Numbers(IReadOnlyDictionary<string, object?> all, string key) =>
        all.GetValueOrDefault(key) is IReadOnlyList<object?> list ? [.. list.Cast<long>()] : [];

    private static SessionKey? Follow(MemorySessionHandler store, SessionId id)
    {
        var key = SessionKey.From(id);
        for (var hops = 0; hops < 100; hops++)
        {
            var record = store.Peek(key);
            if (record is not { State: SessionState.Forward })
                return record is { State: SessionState.Live } ? key : null;
            key = SessionKey.FromBytes(record.Payload.Span);
        }

        return null;
    }
}
