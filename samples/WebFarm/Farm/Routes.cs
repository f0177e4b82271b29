using System.Globalization;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;

namespace WebFarm.Farm;

/// <summary>The balancer's configuration: everything goes to the shop, each request to the next instance that is well, whoever sends it.</summary>
internal static class Routes
{
    /// <summary>Where an instance says whether it wants requests.</summary>
    public const string Ready = "/health/ready";

    /// <summary>Where it says that it is alive.</summary>
    public const string Live = "/health/live";

    private const string Shop = "shop";

    // An instance that leaves goes on answering for Sessions:ShutdownDelay, three seconds here: it is asked several times in that, however busy the machine is.
    private static readonly HealthCheckConfig Health = new()
    {
        // Without anyone who is well all are asked: their answer says more than the balancer's would.
        AvailableDestinationsPolicy = HealthCheckConstants.AvailableDestinations.HealthyOrPanic,
        Active = new ActiveHealthCheckConfig
        {
            Enabled = true, Interval = TimeSpan.FromMilliseconds(200), Timeout = TimeSpan.FromSeconds(1), Path = Ready,
            Policy = HealthCheckConstants.ActivePolicy.ConsecutiveFailures,
        },
        Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = HealthCheckConstants.PassivePolicy.TransportFailureRate, ReactivationPeriod = TimeSpan.FromSeconds(5) },
    };

    public static IReadOnlyList<RouteConfig> All { get; } = [new() { RouteId = Shop, ClusterId = Shop, Match = new() { Path = "{**any}" } }];

    /// <param name="instances">Those that are up.</param>
    /// <param name="asks">Whether the balancer asks them how they are.</param>
    public static IReadOnlyList<ClusterConfig> Cluster(IEnumerable<InstanceProcess> instances, bool asks) =>
    [
        new()
        {
            ClusterId = Shop,
            LoadBalancingPolicy = LoadBalancingPolicies.RoundRobin,
            HealthCheck = asks ? Health : null,
            Metadata = new Dictionary<string, string> { [ConsecutiveFailuresHealthPolicyOptions.ThresholdMetadataName] = "1" },
            // With the process in the name: one that was started again is not as ill as its predecessor.
            Destinations = instances.ToDictionary(
                static instance => string.Create(CultureInfo.InvariantCulture, $"{instance.Name}-{instance.Pid}"),
                static instance => new DestinationConfig { Address = instance.Address! }, StringComparer.Ordinal),
        },
    ];
}
