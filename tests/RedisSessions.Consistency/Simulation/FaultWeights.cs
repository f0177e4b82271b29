namespace RedisSessions.Consistency.Simulation;

/// <summary>What goes wrong between processes and stores, as probabilities of each message.</summary>
internal sealed record FaultWeights
{
    /// <summary>A request does not arrive.</summary>
    public double LoseRequest { get; init; }

    /// <summary>A request is carried out, and its answer does not arrive.</summary>
    public double LoseAnswer { get; init; }

    /// <summary>A request arrives once more, up to <see cref="LongestDelay"/> later.</summary>
    public double Repeat { get; init; }

    /// <summary>A message takes up to a tenth of a second.</summary>
    public double Slow { get; init; } = 0.1;

    /// <summary>A message takes up to <see cref="LongestDelay"/>.</summary>
    public double VerySlow { get; init; }

    /// <summary>A message that tells of a change or of a lease does not arrive.</summary>
    public double LoseMessage { get; init; }

    /// <summary>The key ring cannot be read, where payloads are encrypted; of each time that it is needed.</summary>
    public double KeyRing { get; init; }

    /// <summary>A browser's request takes up to <see cref="LongestArrival"/> until a process has it.</summary>
    public double SlowArrival { get; init; }

    /// <summary>In milliseconds.</summary>
    public int LongestArrival { get; init; } = 1_000;

    /// <summary>Shorter than a closed record lives, in milliseconds: the promises say no more.</summary>
    public int LongestDelay { get; init; } = 60_000;

    /// <summary>Nothing goes wrong.</summary>
    public static FaultWeights None { get; } = new() { Slow = 0 };

    /// <summary>A network on a bad day.</summary>
    public static FaultWeights Lossy { get; } = new()
    {
        LoseRequest = 0.02, LoseAnswer = 0.04, Repeat = 0.03, Slow = 0.15, VerySlow = 0.01, LoseMessage = 0.05, SlowArrival = 0.1,
    };

    /// <summary>How long a browser's request takes until a process has it, in microseconds.</summary>
    public long Arrival(Draws draws) => draws.Chance(SlowArrival) ? draws.Between(500, LongestArrival * 1000L) : draws.Between(50, 500);

    /// <summary>How long a message takes, in microseconds.</summary>
    public long Latency(Draws draws) =>
        draws.Chance(VerySlow) ? draws.Between(100_000, LongestDelay * 1000L)
        : draws.Chance(Slow) ? draws.Between(5_000, 100_000)
        : draws.Between(100, 3_000);
}
