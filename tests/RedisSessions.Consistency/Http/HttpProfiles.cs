using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>What browsers of a run ask for.</summary>
internal static class HttpProfiles
{
    /// <summary>What no known hole touches: whatever is found there is new.</summary>
    public static GeneratorProfile Clean { get; } = new()
    {
        Values = 10, Updates = 8, Commits = 2, Caught = 1, Waits = 1,
        Lists = 0, Literals = 0, Flash = 0, Lifetimes = 0, Rotation = 0, Login = 0, Logout = 0, Cancelled = 0, Throws = 0, All = 0,
        MaxWait = 20,
    };

    /// <summary>Every operation.</summary>
    public static GeneratorProfile All { get; } = new();
}
