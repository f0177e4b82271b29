using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>What requests are made of, where a scenario does not want everything.</summary>
internal static class Profiles
{
    /// <summary>Nothing; a scenario adds what it is about.</summary>
    public static GeneratorProfile Nothing { get; } = new()
    {
        Values = 0, Lists = 0, Literals = 0, Flash = 0, Lifetimes = 0, Rotation = 0, Login = 0, Logout = 0, Updates = 0, Commits = 0,
        Cancelled = 0, Caught = 0, Throws = 0, Waits = 0, All = 0,
    };

    /// <summary>Values, lists, updates and early commits.</summary>
    public static GeneratorProfile Values { get; } =
        Nothing with { Values = 12, Lists = 3, Updates = 6, Commits = 2, Waits = 2, Throws = 1 };
}
