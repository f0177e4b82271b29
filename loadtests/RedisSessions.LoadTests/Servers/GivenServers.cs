using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Servers;

/// <summary>Servers that run already: they are asked, and nothing else is done to them.</summary>
internal sealed class GivenServers(IEnumerable<Uri> addresses, Dialect dialect = Dialect.TargetApp) : ITarget
{
    public Site Site { get; } = new(addresses, dialect);

    public RedisCounters? Redis => null;

    public Task KillInstanceAsync() => throw new UsageException("This scenario kills an instance: it starts its own servers, leave --target out.");

    public Task KillPrimaryAsync() => throw new UsageException("This scenario kills a Redis: it starts its own servers, leave --target out.");

    public ValueTask DisposeAsync()
    {
        Site.Dispose();
        return ValueTask.CompletedTask;
    }
}
