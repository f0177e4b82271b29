using System.Globalization;
using System.Security.Cryptography;

namespace WebFarm.Farm;

/// <summary>
/// The Redis of a topology: processes on free ports of 127.0.0.1, each with a folder of its own, started by <c>docker/redis/start.sh</c> with the settings beside it. One that
/// ends is started again, as a container would be.
/// </summary>
internal sealed class RedisServers : IAsyncDisposable
{
    private const string Service = "sessions", User = "sessions";
    private const int Tries = 3;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60), Again = TimeSpan.FromMilliseconds(200);

    // What the sample does beside sessions: the keys of the framework's cookies, and the framework's own session, for the race.
    private const string ExtraRules =
        "(~web-farm:keys +lrange +rpush) (~framework:* +hget +hmget +hgetall +hset +hmset +expire +pexpire +expireat +pexpireat +del +unlink +exists +eval +evalsha)";

    private static readonly string Script = Path.Combine(Machine.Files("redis"), "start.sh");
    private readonly string _folder = Directory.CreateTempSubdirectory("web-farm-redis-").FullName;
    private readonly string _password = NewPassword();
    private readonly List<Server> _servers = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Topology _topology;
    private readonly TimeSpan _restartDelay;

    private RedisServers(Topology topology)
    {
        _topology = topology;
        // Alone it is waited for. With others to take over, they are to do so first, and be seen doing it.
        _restartDelay = topology == Topology.Single ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromSeconds(8);
    }

    /// <summary>As StackExchange.Redis writes it, with the password.</summary>
    public string Configuration { get; private set; } = "";

    /// <summary>For people: every process by name.</summary>
    public string Description =>
        $"{_topology.ToString().ToLowerInvariant()} by pid: " + string.Join(' ', _servers.Select(static server => $"{server.Name}={server.Component?.Pid}"));

    public static async Task<RedisServers> StartAsync(Topology topology, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || Machine.Missing("redis-server", "redis-cli", "sha256sum", "timeout", Component.Shell) is { Length: > 0 })
        {
            throw new StartupException("--topology starts programs that are not all here: redis-server, redis-cli, bash, sha256sum and timeout must be on the PATH "
                + "(Debian: redis-server). Without --topology the farm needs none of them.");
        }

        for (var attempt = 1; ; attempt++)
        {
            var servers = new RedisServers(topology);
            try
            {
                await servers.StartAllAsync(cancellationToken);
                return servers;
            }
            catch (StartupException) when (attempt < Tries)
            {
                // Most likely somebody took a port since it was found free.
                await servers.DisposeAsync();
            }
            catch
            {
                await servers.DisposeAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_servers.Select(static server => server.Watch));
        await Task.WhenAll(_servers.Select(static server => server.Component?.DisposeAsync().AsTask() ?? Task.CompletedTask));
        _ending.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string NewPassword() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private async Task StartAllAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        Directory.CreateDirectory(Path.Combine(_folder, "secrets"));
        await File.WriteAllTextAsync(Secret("sessions"), _password, timeout.Token);
        await File.WriteAllTextAsync(Secret("servers"), NewPassword(), timeout.Token);
        // Twice as many: nodes of a cluster talk to each other on a second port.
        var ports = Machine.FreePorts(12);
        Plan(ports);
        try
        {
            await Task.WhenAll(_servers.Select(LaunchAsync));
            foreach (var server in _servers)
                await HealthyAsync(server, timeout.Token);
            if (_topology == Topology.Cluster)
                await RunAsync("create", Environment(6379, ("REDIS_NODES", string.Join(' ', _servers.Select(static server => Address(server.Port))))), timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            var silent = string.Join("; ", _servers.Where(static server => server.Component is not null).Select(static server => $"{server.Name}: {server.Component!.LastWords}"));
            throw new StartupException($"Redis was not ready after {StartTimeout.TotalSeconds:F0} seconds. {silent}");
        }

        foreach (var server in _servers)
            server.Watch = WatchAsync(server);
        var asked = _topology == Topology.Sentinel ? _servers.Where(static server => server.Mode == "sentinel") : _servers;
        Configuration = string.Join(',', asked.Select(static server => Address(server.Port)))
            + (_topology == Topology.Sentinel ? $",serviceName={Service}" : "") + $",user={User},password={_password}";
    }

    /// <summary>Who there is to be, and what each is told.</summary>
    private void Plan(int[] ports)
    {
        switch (_topology)
        {
            case Topology.Single:
                Add("redis", "server", ports[0]);
                break;
            case Topology.Sentinel:
                var (primary, sentinels) = (("REDIS_PRIMARY", Address(ports[0])), ("REDIS_SENTINELS", string.Join(' ', ports[3..6].Select(Address))));
                // A primary that nobody hears takes no writes that would be lost.
                Add("primary", "server", ports[0], primary, sentinels, ("REDIS_MIN_REPLICAS", "1"));
                for (var i = 1; i <= 2; i++)
                    Add($"replica-{i}", "replica", ports[i], primary, sentinels, ("REDIS_MIN_REPLICAS", "1"));
                for (var i = 1; i <= 3; i++)
                    Add($"sentinel-{i}", "sentinel", ports[2 + i], primary);
                break;
            default:
                for (var i = 0; i < 6; i++)
                    Add(i < 3 ? $"primary-{i + 1}" : $"replica-{i - 2}", "cluster", ports[i], ("REDIS_CLUSTER_PORT", ports[6 + i].ToString(CultureInfo.InvariantCulture)));
                break;
        }

        void Add(string name, string mode, int port, params (string Key, string Value)[] more)
        {
            var data = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
            _servers.Add(new Server(name, mode, port, Environment(port, [("REDIS_DATA", data), .. more])));
        }
    }

    private Dictionary<string, string> Environment(int port, params (string Key, string Value)[] more)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["REDIS_PASSWORD_FILE"] = Secret("sessions"),
            ["REDIS_SERVERS_PASSWORD_FILE"] = Secret("servers"),
            ["REDIS_EXTRA_RULES"] = ExtraRules,
            ["REDIS_BIND"] = "127.0.0.1",
            ["REDIS_PORT"] = port.ToString(CultureInfo.InvariantCulture),
        };
        foreach (var (key, value) in more)
            environment[key] = value;
        return environment;
    }

    private string Secret(string user) => Path.Combine(_folder, "secrets", user);

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");

    private static async Task LaunchAsync(Server server) => server.Component = await Component.StartAsync(server.Name, Script, [server.Mode], server.Environment);

    private static async Task HealthyAsync(Server server, CancellationToken cancellationToken)
    {
        while (await Component.RunAsync(Script, ["health"], server.Environment, cancellationToken) is { ExitCode: not 0 })
        {
            if (server.Component!.HasExited)
                throw new StartupException($"{server.Name} ended at once: {server.Component.LastWords}");
            await Task.Delay(Again, cancellationToken);
        }
    }

    private static async Task RunAsync(string mode, Dictionary<string, string> environment, CancellationToken cancellationToken)
    {
        if (await Component.RunAsync(Script, [mode], environment, cancellationToken) is { ExitCode: not 0 } failed)
            throw new StartupException($"The cluster cannot be made: {failed.LastWords}");
    }

    private async Task WatchAsync(Server server)
    {
        try
        {
            while (true)
            {
                await server.Component!.ExitAsync().WaitAsync(_ending.Token);
                await Console.Error.WriteLineAsync($"Web farm: {server.Name} (pid {server.Component.Pid}) is gone, and is started again in {_restartDelay.TotalSeconds} s.");
                await Task.Delay(_restartDelay, _ending.Token);
                var former = server.Component;
                await LaunchAsync(server);
                await former.DisposeAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The farm ends.
        }
        catch (StartupException e)
        {
            await Console.Error.WriteLineAsync($"Web farm: {e.Message}");
        }
    }

    private sealed class Server(string name, string mode, int port, Dictionary<string, string> environment)
    {
        public string Name => name;

        public string Mode => mode;

        public int Port => port;

        public Dictionary<string, string> Environment => environment;

        public Component? Component { get; set; }

        public Task Watch { get; set; } = Task.CompletedTask;
    }
}
