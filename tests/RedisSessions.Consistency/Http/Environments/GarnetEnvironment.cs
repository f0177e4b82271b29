using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>A Garnet inside the checker: real RESP with the .NET SDK alone.</summary>
internal sealed class GarnetEnvironment : HttpEnvironment
{
    private readonly EmbeddedGarnet _garnet = EmbeddedGarnet.Start();
    private readonly FaultProxy[] _proxies;

    public GarnetEnvironment(int processes) =>
        _proxies = [.. Enumerable.Range(0, processes).Select(_ => FaultProxy.Start(_garnet.Configuration))];

    public override IReadOnlyList<FaultProxy> Proxies => _proxies;

    public override async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        await _garnet.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process) => RedisEnvironment.ForRedis(_proxies[process].Configuration);
}
