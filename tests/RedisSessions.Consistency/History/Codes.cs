namespace RedisSessions.Consistency.History;

/// <summary>The names of the promises that can be broken; they are stable, since known holes and seeds name them.</summary>
internal static class Codes
{
    /// <summary>No order of the transactions gives their answers.</summary>
    public const string NotSerializable = "not-serializable";
}
