namespace WebFarm.Race;

/// <summary>How a race went. Kept in the visitor's session, so its classes are public: that is what a session can store.</summary>
public sealed record RaceResult(Lap Framework, Lap RedisSessions);

/// <summary>What became of one contestant's increments.</summary>
/// <param name="Sent">Requests sent.</param>
/// <param name="Answered">Requests that were answered "stored".</param>
/// <param name="Kept">What the counter says afterwards.</param>
/// <param name="Milliseconds">From the first request to the last answer.</param>
/// <param name="Instances">Who answered how many, for example <c>A 17 · B 17 · C 16</c>.</param>
public sealed record Lap(int Sent, int Answered, int Kept, int Milliseconds, string Instances)
{
    /// <summary>Answered "stored", and gone.</summary>
    public int Lost => Answered - Kept;
}
