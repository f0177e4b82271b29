namespace RedisSessions.Consistency.Http.Wire;

/// <summary>What the checker and the application's processes agree on: arguments, routes, the cookie.</summary>
internal static class ProcessSettings
{
    /// <summary>Seconds that the process's clock is ahead.</summary>
    public const string ClockOffset = "clock-offset";

    /// <summary>The file that the process writes down in what its endpoints executed.</summary>
    public const string Witness = "witness";

    /// <summary>The name of the session cookie.</summary>
    public const string Cookie = "session";

    /// <summary>Answers once the process is up; knows no session.</summary>
    public const string Hello = "/hello";

    /// <summary>Answers once the store does.</summary>
    public const string Ready = "/ready";

    /// <summary>Where requests of one access are executed.</summary>
    public static string Run(SessionAccess access) => $"/run/{access}";
}
