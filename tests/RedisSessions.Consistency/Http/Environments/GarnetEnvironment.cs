using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>A Garnet inside the checker: real RESP with the .NET SDK alone.</summary>
internal sealed class GarnetEnvironment : HttpEnvironment
{
    private readonly EmbeddedGarnet _garnet;
    private readonly FaultProxy[] _proxies;
    private readonly string _selfTest;

    /// <param name="processes">How many processes use it.</param>
    /// <param name="atomicScripts">False makes it lose updates, and takes away the self-test that would refuse it.</param>
    public GarnetEnvironment(int processes, bool atomicScripts)
    {
        _garnet = EmbeddedGarnet.Start(atomicScripts);
        _selfTest = atomicScripts ? "true" : "false";
        _proxies = [.. Enumerable.Range(0, processes).Select(_ => FaultProxy.Start(_garnet.Configuration))];
    }

    public override IReadOnlyList<FaultProxy> Proxies => _proxies;

    public override async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        await _garnet.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process) =>
        [.. RedisEnvironment.ForRedis(_proxies[process].Configuration), $"--Sessions:Redis:SelfTest={_selfTest}"];
}
