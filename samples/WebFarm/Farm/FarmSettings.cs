namespace WebFarm.Farm;

/// <summary>What the farm was asked for, judged before a program is looked for: a wrong setting is the same line on every machine.</summary>
/// <param name="Topology">Which servers it starts.</param>
/// <param name="Urls">Where it listens.</param>
/// <param name="Redis">The Redis that it uses, as StackExchange.Redis writes it; null for one of its own.</param>
/// <param name="Nginx">Whether nginx is in front; null where nothing was chosen.</param>
internal sealed record FarmSettings(Topology Topology, string Urls, string? Redis, bool? Nginx)
{
    private const string DefaultUrls = "http://127.0.0.1:7300";

    /// <exception cref="StartupException">A setting is wrong, or two contradict each other.</exception>
    public static FarmSettings Of(IConfiguration configuration)
    {
        var topology = Topologies.Of(configuration);
        var urls = configuration[WebHostDefaults.ServerUrlsKey] is { Length: > 0 } chosen ? chosen : DefaultUrls;
        var redis = configuration["Sessions:Redis:Configuration"] is { Length: > 0 } setting ? setting : configuration["REDIS_URL"];
        bool? nginx = configuration["Farm:Balancer"]?.ToUpperInvariant() switch
        {
            null => null,
            "NGINX" => true,
            "YARP" => false,
            _ => throw new StartupException($"Farm:Balancer is '{configuration["Farm:Balancer"]}': it must be nginx or yarp."),
        };
        foreach (var url in urls.Split(';'))
            Check(url);
        if (nginx == true)
            NginxFront.Check(urls);
        if (string.IsNullOrEmpty(redis))
            return new FarmSettings(topology, urls, Redis: null, nginx);
        return topology == Topology.None
            ? new FarmSettings(topology, urls, RedisUrl.ToConfiguration(redis), nginx)
            : throw new StartupException("--topology starts a Redis of its own, and Sessions:Redis:Configuration or REDIS_URL names another: "
                + "leave one of them out.");
    }

    private static void Check(string url)
    {
        try
        {
            BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw new StartupException($"--urls is {url}: each address must be http://host:port.");
        }
    }

    /// <summary>Nginx's address; null where YARP is in front. With a topology nginx is there if it is installed.</summary>
    /// <exception cref="StartupException">Nginx was chosen and is not installed, or it cannot have this address.</exception>
    public string? NginxAddress()
    {
        if (Nginx ?? Topology != Topology.None)
        {
            var missing = NginxFront.Missing();
            if (missing.Length == 0)
                return NginxFront.Address(Urls);
            if (Nginx == true)
                throw new StartupException($"Farm:Balancer is nginx, and not on the PATH: {string.Join(", ", missing)}.");
        }

        return null;
    }
}
