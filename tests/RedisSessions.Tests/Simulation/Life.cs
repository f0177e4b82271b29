namespace RedisSessions.Tests.Simulation;

/// <summary>A violated promise: what the whole simulation is about.</summary>
internal sealed class ViolationException(string message) : Exception(message);

/// <summary>
/// What the model knows of one session through all its ids. Every change of a request carries a token: acknowledged tokens must be in the
/// session exactly once, refused ones never, and those of requests whose outcome nobody learned at most once.
/// </summary>
internal sealed class Life(int number)
{
    public int Number { get; } = number;

    /// <summary>Tokens in the order of their acknowledgement.</summary>
    public List<int> Acknowledged { get; } = [];

    public HashSet<int> Refused { get; } = [];

    /// <summary>What updates returned: each sum once.</summary>
    public HashSet<long> Answers { get; } = [];

    /// <summary>Every id that was issued for it.</summary>
    public List<SessionId> Ids { get; } = [];

    /// <summary>The ids that were replaced at a login, and when that was acknowledged.</summary>
    public Dictionary<SessionId, DateTimeOffset> Replaced { get; } = [];

    /// <summary>The ids that were rotated: they lead on for a while, and are unknown after it.</summary>
    public HashSet<SessionId> Rotated { get; } = [];

    /// <summary>Somebody learned that it was destroyed.</summary>
    public bool Ended { get; set; }

    /// <summary>A destruction is under way or nobody learned its outcome.</summary>
    public bool MayHaveEnded { get; set; }

    /// <summary>Regenerations and destructions begun so far; and those whose request is still running.</summary>
    public int FatesBegun { get; set; }

    public int FatesUnderWay { get; set; }

    /// <summary>
    /// Logins begun, and logins that may still take effect. A logout that overlaps with a login may find its own id dead and nothing left to do,
    /// while the session lives on under the new one.
    /// </summary>
    public int LoginsBegun { get; set; }

    public int LoginsUnderWay { get; set; }

    /// <summary>Two of them overlapped, or one has an unknown outcome: which id leads to the session is not known from outside.</summary>
    public bool Uncertain { get; set; }
}
