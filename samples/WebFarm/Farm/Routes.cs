using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.LoadBalancing;

namespace WebFarm.Farm;

/// <summary>The balancer's configuration: everything goes to the shop, each request to the next instance, whoever sends it.</summary>
internal static class Routes
{
    private const string Shop = "shop";

    public static IReadOnlyList<RouteConfig> All { get; } = [new() { RouteId = Shop, ClusterId = Shop, Match = new() { Path = "{**any}" } }];

    public static IReadOnlyList<ClusterConfig> Cluster(IEnumerable<InstanceProcess> instances) =>
    [
        new()
        {
            ClusterId = Shop,
            LoadBalancingPolicy = LoadBalancingPolicies.RoundRobin,
            Destinations = instances.ToDictionary(
                static instance => instance.Name, static instance => new DestinationConfig { Address = instance.Address! }, StringComparer.Ordinal),
        },
    ];
}
