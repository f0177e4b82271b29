namespace RedisSessions.LoadTests;

/// <summary>Something that must hold, and whether it did.</summary>
/// <param name="Text">What was promised.</param>
/// <param name="Seen">What was seen.</param>
/// <param name="IsKept">Whether that keeps the promise.</param>
internal sealed record Promise(string Text, string Seen, bool IsKept)
{
    public string Verdict => IsKept ? "kept" : "BROKEN";
}
