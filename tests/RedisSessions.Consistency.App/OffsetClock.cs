namespace RedisSessions.Consistency.App;

/// <summary>The system's clock, ahead or behind: an instance whose time is wrong.</summary>
internal sealed class OffsetClock(TimeSpan offset) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + offset;
}
