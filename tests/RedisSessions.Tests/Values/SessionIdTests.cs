namespace RedisSessions.Tests.Values;

public sealed class SessionIdTests
{
    [Fact]
    public void An_id_never_prints_itself()
    {
        var id = SessionId.New();
        Assert.DoesNotContain(id.Value, $"{id}", StringComparison.Ordinal);
    }
}
