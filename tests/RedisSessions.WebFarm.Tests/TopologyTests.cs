using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RedisSessions.TestServers;

namespace RedisSessions.WebFarm.Tests;

/// <summary>The servers of the containers as processes: who answers, what a death does, and that nothing is left.</summary>
public sealed partial class TopologyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("single", 1)]
    [InlineData("sentinel", 6)]
    [InlineData("cluster", 6)]
    public async Task All_instances_answer_and_a_primary_that_is_killed_is_survived(string topology, int servers)
    {
        await using var farm = await StartAsync(topology);
        var redis = Servers(farm);
        Assert.Equal(servers, redis.Count);
        Assert.All(redis.Values, static pid => Assert.Contains("redis-server", Processes.CommandLine(pid), StringComparison.Ordinal));

        // So many that in a cluster each primary has some.
        var visitors = Enumerable.Range(0, 12).Select(_ => new Visitor(farm)).ToArray();
        try
        {
            HashSet<string> answered = [];
            foreach (var visitor in visitors)
            {
                await visitor.LogInAsync("Ada", Token);
                for (var i = 1; i <= 3; i++)
                    Assert.Equal(i, await visitor.IncrementAsync(Token));
                using var answer = await visitor.GetAsync("/api/whoami", Token);
                answered.Add(answer.Headers.GetValues("X-Instance").Single());
            }

            Assert.Equal(["A", "B", "C"], answered.Order(StringComparer.Ordinal));

            var primary = redis.First(static server => server.Key is "redis" or "primary" or "primary-1").Value;
            await ProcessSignal.SendAsync("KILL", primary);
            await Poll.UntilAsync(() => !FarmProcess.IsRunning(primary), Patience, "the primary to die", Token);
            foreach (var visitor in visitors)
            {
                await Poll.UntilAsync(async () =>
                {
                    using var answer = await visitor.PostAsync("/api/increment", Token);
                    // What is not done is refused, and never an empty session.
                    Assert.Contains(answer.StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable]);
                    return answer.StatusCode == HttpStatusCode.OK;
                }, Patience, "a session to be there again", Token);
                Assert.Equal("Ada", await visitor.WhoAmIAsync(Token));
                // A change whose outcome was unknown may be there too.
                Assert.InRange(await visitor.IncrementAsync(Token), 5, 8);
            }

            // As a container would be, the one that died is started again, and does not take itself for the primary.
            await Poll.UntilAsync(
                () => Processes.Under(farm.Pid).Count(static pid => Processes.CommandLine(pid).StartsWith("redis-server", StringComparison.Ordinal)) == servers,
                Patience, "the one that died to be started again", Token);
            // As soon as it answers: until the sentinels find out, two primaries would take changes.
            if (topology != "cluster")
                Assert.Single(await RolesAsync(farm, servers), static role => role == "master");
            foreach (var visitor in visitors)
                Assert.Equal("Ada", await visitor.WhoAmIAsync(Token));
        }
        finally
        {
            foreach (var visitor in visitors)
                visitor.Dispose();
        }
    }

    [Theory]
    [InlineData("single", "")]
    [InlineData("single", "--Farm:Balancer=yarp")]
    [InlineData("sentinel", "")]
    [InlineData("cluster", "")]
    public async Task After_Ctrl_C_no_process_is_left(string topology, string setting)
    {
        await using var farm = await StartAsync(topology, setting);
        using (var visitor = new Visitor(farm))
            await visitor.IncrementAsync(Token);
        var (children, all, folders) = (Processes.ChildrenOf(farm.Pid), Processes.Under(farm.Pid), Folders(farm));
        Assert.NotEmpty(folders);
        // A terminal sends it to the farm's whole group. Servers are not in it, because instances need them to the end.
        Assert.All(Servers(farm).Values, pid => Assert.NotEqual(Processes.Group(farm.Pid), Processes.Group(pid)));
        var said = farm.Errors.Count;
        // The farm, its instances, and the shells between it and its servers.
        await ProcessSignal.SendAsync("INT", [farm.Pid, .. children]);
        Assert.Equal(0, await farm.ExitCodeAsync(Token));
        Assert.DoesNotContain(all, FarmProcess.IsRunning);
        Assert.Equal([], farm.Errors.Skip(said));
        Assert.DoesNotContain(folders, Directory.Exists);
    }

    [Fact]
    public async Task Servers_do_not_outlive_a_farm_that_was_killed()
    {
        await using var farm = await StartAsync("sentinel");
        var (all, folders) = (Processes.Under(farm.Pid), Folders(farm));
        try
        {
            await ProcessSignal.SendAsync("KILL", farm.Pid);
            await Poll.UntilAsync(() => !all.Any(FarmProcess.IsRunning), Patience, "the servers to end", Token);
        }
        finally
        {
            // Nobody was left to do it.
            foreach (var left in all.Where(FarmProcess.IsRunning))
                await ProcessSignal.SendAsync("KILL", left);
            foreach (var folder in folders)
                Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Ctrl_C_while_servers_start_leaves_none()
    {
        SkipWithoutRedis();
        await using var farm = FarmProcess.Launch([], "--topology", "cluster", "--urls", "http://127.0.0.1:0");
        await Poll.UntilAsync(() => Servers().Count > 0, Patience, "the first server to start", Token);
        var all = Processes.Under(farm.Pid);
        await ProcessSignal.SendAsync("INT", farm.Pid);
        Assert.Equal(0, await farm.ExitCodeAsync(Token));
        Assert.DoesNotContain(all, FarmProcess.IsRunning);

        List<int> Servers() => [.. Processes.Under(farm.Pid).Where(static pid => Processes.CommandLine(pid).StartsWith("redis-server", StringComparison.Ordinal))];
    }

    [Fact]
    public async Task The_password_of_Redis_stands_in_no_command_line_and_in_no_output()
    {
        await using var farm = await StartAsync("single");
        using (var visitor = new Visitor(farm))
            await visitor.IncrementAsync(Token);
        var password = PasswordOf(farm);
        Assert.All([farm.Pid, .. Processes.Under(farm.Pid)], pid => Assert.DoesNotContain(password, Processes.CommandLine(pid), StringComparison.Ordinal));
        Assert.All([.. farm.Output, .. farm.Errors], line => Assert.DoesNotContain(password, line, StringComparison.Ordinal));
        Assert.DoesNotContain(Servers(farm).Values, pid => Processes.Environment(pid).Contains(password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_nginx_in_front_the_page_kills_and_starts_instances_as_ever()
    {
        await using var farm = await StartAsync("single");
        SkipWithoutNginx(farm);
        using var visitor = new Visitor(farm);
        await visitor.IncrementAsync(Token);
        var victim = (await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "B");
        Assert.Contains("Instance B was killed", await visitor.SendAsync("/instances/kill", "instance", "B", Token), StringComparison.Ordinal);
        Assert.False(FarmProcess.IsRunning(victim.Pid));
        for (var i = 2; i <= 20; i++)
            Assert.Equal(i, await visitor.IncrementAsync(Token));
        await Poll.UntilAsync(async () => !(await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "B").Up, Patience, "the page to know", Token);
        await visitor.SendAsync("/instances/start", "instance", "B", Token);
        await Poll.UntilAsync(async () =>
        {
            using var answer = await visitor.GetAsync("/api/whoami", Token);
            answer.EnsureSuccessStatusCode();
            return answer.Headers.GetValues("X-Instance").Single() == "B";
        }, Patience, "the new B to answer", Token);
    }

    [Fact]
    public async Task An_instance_that_leaves_gets_nothing_more_from_nginx_while_it_still_answers()
    {
        await using var farm = await StartAsync("single", "--Sessions:ShutdownDelay=00:00:20");
        SkipWithoutNginx(farm);
        using var visitor = new Visitor(farm);
        var leaving = (await visitor.InstancesAsync(Token)).Single(static instance => instance.Name == "B").Pid;
        await ProcessSignal.SendAsync("TERM", leaving);
        var inARow = 0;
        await Poll.UntilAsync(async () =>
        {
            using var answer = await visitor.GetAsync("/api/whoami", Token);
            answer.EnsureSuccessStatusCode();
            inARow = answer.Headers.GetValues("X-Instance").Single() == "B" ? 0 : inARow + 1;
            return inARow == 12;
        }, Patience, "nginx to send nothing more to B", Token);
        Assert.True(FarmProcess.IsRunning(leaving));
    }

    [Fact]
    public async Task What_only_the_balancer_may_say_and_what_only_it_may_hear_does_not_pass_nginx()
    {
        await using var farm = await StartAsync("single");
        SkipWithoutNginx(farm);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false }) { BaseAddress = farm.Address };
        client.DefaultRequestHeaders.Add("X-Web-Farm", "1");
        client.DefaultRequestHeaders.Add("X-Farm", """{"address":"http://evil.example","instances":[]}""");
        Assert.DoesNotContain("evil", await client.GetStringAsync("/api/farm", Token), StringComparison.Ordinal);
        using var metrics = await client.GetAsync(new Uri("/metrics", UriKind.Relative), Token);
        Assert.Equal(HttpStatusCode.NotFound, metrics.StatusCode);
    }

    [Fact]
    public async Task A_port_in_use_is_one_line_and_leaves_nothing()
    {
        SkipWithoutRedis();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var farm = FarmProcess.Launch([], "--topology", "single", "--urls", $"http://{taken.LocalEndpoint}");
        Assert.Equal(1, await farm.ExitCodeAsync(Token));
        Assert.Contains("ddress already in use", Assert.Single(farm.Errors), StringComparison.Ordinal);
        Assert.Empty(Processes.Under(farm.Pid));
    }

    [Theory]
    [InlineData("--topology is 'star': it must be single, sentinel or cluster.", "--topology", "star")]
    [InlineData("--topology starts a Redis of its own, and Sessions:Redis:Configuration or REDIS_URL names another", "--topology", "single", "--Sessions:Redis:Configuration=127.0.0.1:1")]
    [InlineData("Farm:Balancer is 'haproxy': it must be nginx or yarp.", "--topology", "single", "--Farm:Balancer=haproxy")]
    [InlineData("with nginx in front it must be one address", "--Farm:Balancer=nginx", "--urls", "http://127.0.0.1:0;http://127.0.0.1:0")]
    [InlineData("with nginx in front it must be one address", "--Farm:Balancer=nginx", "--topology", "sentinel", "--urls", "https://127.0.0.1:0")]
    [InlineData("--urls is nowhere: each address must be http://host:port.", "--topology", "cluster", "--urls", "nowhere")]
    [InlineData("REDIS_URL cannot be read", "--Farm:Balancer=nginx", "--Sessions:Redis:Configuration=http://127.0.0.1:1")]
    [InlineData("Sessions:Redis:Configuration or REDIS_URL cannot be read", "--Farm:Balancer=nginx", "--Sessions:Redis:Configuration=127.0.0.1:1,noSuchOption=1")]
    public async Task What_makes_no_sense_is_one_line(string reason, params string[] arguments)
    {
        // Settings are judged before programs are looked for: what is installed makes no difference.
        await using var farm = FarmProcess.Launch(new() { ["PATH"] = "/nowhere" }, arguments);
        Assert.Equal(1, await farm.ExitCodeAsync(Token));
        Assert.Contains(reason, Assert.Single(farm.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_redis_server_it_says_what_to_install()
    {
        await using var farm = FarmProcess.Launch(new() { ["PATH"] = "/nowhere" }, "--topology", "cluster");
        Assert.Equal(1, await farm.ExitCodeAsync(Token));
        Assert.Contains("redis-server, redis-cli, bash, sha256sum and timeout must be on the PATH", Assert.Single(farm.Errors), StringComparison.Ordinal);
    }

    /// <summary>The servers by name, as the farm says when it is ready.</summary>
    internal static IReadOnlyDictionary<string, int> Servers(FarmProcess farm) =>
        Server().Matches(farm.Output.Single(static line => line.Contains("Redis: ", StringComparison.Ordinal)).Split("Redis: ")[1])
            .ToDictionary(static match => match.Groups[1].Value, static match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));

    /// <summary>What each server of a topology says that it is, once all of them answer.</summary>
    private static async Task<IReadOnlyList<string>> RolesAsync(FarmProcess farm, int servers)
    {
        // A server that has just begun does not yet say where it listens.
        string[] ports = [];
        await Poll.UntilAsync(() =>
        {
            ports = [.. Processes.Under(farm.Pid).Select(static pid => Listening().Match(Processes.CommandLine(pid))).Where(static match => match.Success)
                .Select(static match => match.Groups[1].Value).Distinct()];
            return ports.Length == servers;
        }, Patience, "every server to say where it listens", Token);
        List<string> roles = [];
        foreach (var port in ports)
        {
            string[] ask = ["-p", port, "--user", "sessions", "--pass", PasswordOf(farm), "--no-auth-warning", "INFO"];
            Match role = Match.Empty;
            await Poll.UntilAsync(async () =>
            {
                var info = await TryAskAsync(ask);
                role = Role().Match(info);
                return role.Success || info.Contains("redis_mode:sentinel", StringComparison.Ordinal);
            }, Patience, "a server to answer", Token);
            roles.Add(role.Success ? role.Groups[1].Value : "sentinel");
        }

        return roles;

        static async Task<string> TryAskAsync(string[] ask)
        {
            try
            {
                return await RedisCli.RunAsync(ask, Token);
            }
            catch (InvalidOperationException)
            {
                // Not listening yet.
                return "";
            }
        }
    }

    /// <summary>From the environment of an instance, which its owner alone can read.</summary>
    private static string PasswordOf(FarmProcess farm) =>
        Processes.Under(farm.Pid).Select(static pid => Password().Match(Processes.Environment(pid))).First(static match => match.Success).Groups[1].Value;

    internal static async Task<FarmProcess> StartAsync(string topology, params string[] settings)
    {
        SkipWithoutRedis();
        return await FarmProcess.StartAsync(Token, settings: ["--topology", topology, .. settings.Where(static setting => setting.Length > 0)]);
    }

    internal static void SkipWithoutNginx(FarmProcess farm)
    {
        if (!farm.Output.Any(static line => line.Contains("nginx by pid", StringComparison.Ordinal)))
            Assert.Skip("no nginx and curl on the PATH: the farm has YARP in front");
    }

    private static void SkipWithoutRedis()
    {
        if (RedisCli.Program is null)
            Assert.Skip("no redis-server and redis-cli on the PATH: --topology starts them");
    }

    /// <summary>Where its servers keep what they have, from their command lines.</summary>
    private static IReadOnlyList<string> Folders(FarmProcess farm) =>
        [.. Processes.Under(farm.Pid).SelectMany(static pid => Folder().Matches(Processes.CommandLine(pid) + Processes.Environment(pid))).Select(static match => match.Value).Distinct()];

    [GeneratedRegex(@"^redis-server [^:]+:(\d+)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"role:(\w+)")]
    private static partial Regex Role();

    [GeneratedRegex(@"([a-z0-9-]+)=(\d+)")]
    private static partial Regex Server();

    [GeneratedRegex("password=([0-9a-f]{64})")]
    private static partial Regex Password();

    [GeneratedRegex(@"/[^\0=\s]*?web-farm-(redis|nginx)-[A-Za-z0-9]+")]
    private static partial Regex Folder();
}
