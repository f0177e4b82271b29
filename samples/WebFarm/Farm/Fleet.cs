using Yarp.ReverseProxy.Configuration;

namespace WebFarm.Farm;

/// <summary>The instances: starts, kills and stops them, and keeps the balancer's destinations what is really there.</summary>
internal sealed class Fleet(
    InMemoryConfigProvider routes, IEnumerable<KeyValuePair<string, string?>> environment, IConfiguration configuration, IHostApplicationLifetime lifetime,
    ILogger<Fleet> logger)
    : IAsyncDisposable
{
    private static readonly string[] Names = ["A", "B", "C"];
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30), StopTimeout = TimeSpan.FromSeconds(5);

    // Off only to see what happens without.
    private readonly bool _asks = configuration.GetValue("Farm:HealthChecks", defaultValue: true);
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, InstanceProcess> _instances = [];
    private volatile bool _disposing;

    public IReadOnlyList<InstanceView> Instances
    {
        get
        {
            lock (_lock)
            {
                return
                [
                    .. _instances.Values.OrderBy(static instance => instance.Name, StringComparer.Ordinal)
                        .Select(static instance => new InstanceView(instance.Name, instance.Pid, instance.IsUp)),
                ];
            }
        }
    }

    /// <summary>Where those that are up listen.</summary>
    public IReadOnlyList<string> Addresses
    {
        get
        {
            lock (_lock)
                return [.. _instances.Values.Where(static instance => instance.IsUp).Select(static instance => instance.Address!)];
        }
    }

    /// <summary>An instance has come or gone.</summary>
    public event Action? Changed;

    private bool IsStopping => _disposing || lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Starts all that are not up.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (!IsStopping)
                await Task.WhenAll(Names.Where(name => Find(name) is not { IsUp: true }).Select(name => StartAsync(name, cancellationToken)));
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Does what an instance asks for, unless it makes no sense any more. The page shows what came of it.</summary>
    public async Task ObeyAsync(FarmOrder order)
    {
        await _changing.WaitAsync();
        try
        {
            var instance = Find(order.Instance);
            if (IsStopping || instance is null)
                return;
            // The last one stays: without it nobody could press the button that starts another.
            if (order.Verb == FarmOrder.Kill && instance.IsUp && Instances.Count(other => other.Up) > 1)
                await instance.KillAsync();
            else if (order.Verb == FarmOrder.Start && !instance.IsUp)
                await StartAsync(order.Instance, lifetime.ApplicationStopping);
        }
        catch (Exception e) when (e is StartupException or OperationCanceledException)
        {
            logger.LogError("Instance {Name} does not start: {Reason}", order.Instance, e.Message);
        }
        finally
        {
            _changing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _disposing = true;
        // A start that is under way ends first, so that no instance is left over.
        await _changing.WaitAsync();
        List<InstanceProcess> instances;
        lock (_lock)
            instances = [.. _instances.Values];
        await Task.WhenAll(instances.Select(instance => instance.StopAsync(StopTimeout)));
        foreach (var instance in instances)
            instance.Dispose();
        _changing.Dispose();
    }

    private async Task StartAsync(string name, CancellationToken cancellationToken)
    {
        var instance = InstanceProcess.Launch(name, environment);
        lock (_lock)
        {
            _instances.Remove(name, out var former);
            former?.Dispose();
            _instances.Add(name, instance);
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        try
        {
            await instance.ReadyAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await instance.KillAsync();
            throw new StartupException($"Instance {name} was not ready after {StartTimeout.TotalSeconds:F0} seconds.");
        }

        Route();
        _ = WatchAsync(instance);
    }

    private async Task WatchAsync(InstanceProcess instance)
    {
        await instance.ExitAsync();
        if (IsStopping)
            return;
        logger.LogWarning("Instance {Name} (pid {Pid}) is gone", instance.Name, instance.Pid);
        Route();
        // Somebody has killed all of them, from outside: a farm without instances could not even show its page.
        if (Instances.Any(static other => other.Up))
            return;
        try
        {
            await StartAsync(CancellationToken.None);
        }
        catch (StartupException e)
        {
            logger.LogError("No instance is left, and none starts: {Reason}", e.Message);
        }
    }

    private InstanceProcess? Find(string name)
    {
        lock (_lock)
            return _instances.GetValueOrDefault(name);
    }

    /// <summary>A destination is an instance that is up; so a dead one gets no request from the moment its end is known.</summary>
    private void Route()
    {
        lock (_lock)
        {
            routes.Update(Routes.All, Routes.Cluster(_instances.Values.Where(static instance => instance.IsUp), _asks));
        }

        Changed?.Invoke();
    }
}
