namespace WebFarm.Farm;

/// <summary>Which servers the farm starts: <c>--topology single|sentinel|cluster</c>.</summary>
internal enum Topology
{
    /// <summary>None: a Redis that is given, or an embedded Garnet; and YARP.</summary>
    None,

    /// <summary>One redis-server, with its log on disk.</summary>
    Single,

    /// <summary>A primary, two replicas, three sentinels.</summary>
    Sentinel,

    /// <summary>Three primaries, a replica each.</summary>
    Cluster,
}

internal static class Topologies
{
    public static Topology Of(IConfiguration configuration) => configuration["topology"]?.ToUpperInvariant() switch
    {
        null => Topology.None,
        "SINGLE" => Topology.Single,
        "SENTINEL" => Topology.Sentinel,
        "CLUSTER" => Topology.Cluster,
        _ => throw new StartupException($"--topology is '{configuration["topology"]}': it must be single, sentinel or cluster."),
    };
}
