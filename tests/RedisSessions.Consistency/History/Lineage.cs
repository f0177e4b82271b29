using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>One session through all its ids, with the requests that had it.</summary>
/// <param name="members">The requests, in order of beginning.</param>
/// <param name="epochs">
/// The epoch of each cookie: a login begins one, and the ids of those before it are dead. Ids of one epoch, which rotations link, all lead
/// to the session.
/// </param>
internal sealed class Lineage(IReadOnlyList<Observation> members, IReadOnlyDictionary<int, int> epochs)
{
    /// <summary>The epoch of a session that no cookie was seen of.</summary>
    public const int Root = -1;

    /// <summary>The requests, in order of beginning.</summary>
    public IReadOnlyList<Observation> Members => members;

    /// <summary>The epoch of a cookie.</summary>
    public int EpochOf(int? cookie) => cookie is { } number ? epochs.GetValueOrDefault(number, number) : Root;

    /// <summary>The epoch that a request begins in.</summary>
    public int EpochOf(Observation observation) => EpochOf(observation.WasNew == true ? observation.NewCookie : observation.Cookie);

    /// <summary>The sessions of a history.</summary>
    public static IReadOnlyList<Lineage> Of(RunHistory history)
    {
        var groups = new Groups();
        foreach (var observation in history.Observations)
        {
            if (observation is { WasNew: false, Cookie: { } sent, NewCookie: { } issued })
                groups.Join(sent, issued);
        }
        return [.. history.Observations.Where(HasSession).GroupBy(Group).Select(group => Of([.. group.OrderBy(member => member.Began)]))];

        // A new session that was never told to a browser is its request's own.
        (int, string) Group(Observation observation) =>
            (observation.WasNew == true ? observation.NewCookie : observation.Cookie) is { } cookie
                ? (groups.Of(cookie), "")
                : (Root, observation.Request.Id);
    }

    private static bool HasSession(Observation observation) =>
        observation.WasNew is not null || (observation.IsUnobserved() && observation.Cookie is not null);

    private static Lineage Of(IReadOnlyList<Observation> members)
    {
        var epochs = new Dictionary<int, int>();
        foreach (
            var issuer in members.Where(member => member.NewCookie is not null)
            .OrderBy(member => member.NewCookie).ThenBy(member => member.Began))
        {
            var (sent, issued) = (issuer.Cookie, issuer.NewCookie!.Value);
            var continues = issuer.WasNew == false && sent is not null && !issuer.Did(Op.Login);
            epochs.TryAdd(issued, continues ? epochs.GetValueOrDefault(sent!.Value, sent.Value) : issued);
        }
        return new Lineage(members, epochs);
    }

    private sealed class Groups
    {
        private readonly Dictionary<int, int> _parents = [];

        public int Of(int cookie)
        {
            while (_parents.TryGetValue(cookie, out var parent))
                cookie = parent;
            return cookie;
        }

        public void Join(int first, int second)
        {
            var (one, other) = (Of(first), Of(second));
            if (one != other)
                _parents[one] = other;
        }
    }
}
