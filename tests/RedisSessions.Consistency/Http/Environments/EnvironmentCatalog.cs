using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>Every environment by its name on the command line.</summary>
internal static class EnvironmentCatalog
{
    public static IReadOnlyList<EnvironmentPlan> All { get; } =
    [
        new("redis") { StartAsync = Redis },
        new("garnet") { StartAsync = Garnet },
        new("file") { StartAsync = Files },
        new("sqlite") { StartAsync = Sqlite },
        new("postgres") { StartAsync = Postgres },
        new("mariadb") { StartAsync = MariaDb },
        new("near")
        {
            StartAsync = Redis,
            Extra = ["--Sessions:NearCache:MaxStaleness=00:00:02"],
            Rules = new Rules { Staleness = TimeSpan.FromSeconds(2) },
        },
        new("touch") { StartAsync = Redis, Extra = ["--Sessions:Redis:TouchInterval=00:00:02"] },
        new("last-write-wins")
        {
            StartAsync = Redis,
            Extra = ["--Sessions:OnConflict=LastWriteWins"],
            Rules = new Rules { LastWriteWins = true },
        },
        new("clocks") { StartAsync = Redis, MostAhead = TimeSpan.FromSeconds(150) },
        new("memory") { StartAsync = RedisWith(static redis => new FullMemory(redis)) },
        new("rollback")
        {
            StartAsync = RedisWith(static redis => new RollBack(redis)),
            Rules = new Rules { MayLoseAcknowledged = true },
        },
        new("replicas")
        {
            StartAsync = static (plan, _, token) => ReplicasEnvironment.TryStartAsync(plan, token),
            Extra = ["--Sessions:Redis:MinReplicas=1"],
            Rules = new Rules { MayLoseAcknowledged = true },
        },
        new("sentinel")
        {
            StartAsync = Sentinel,
            Rules = new Rules { MayLoseAcknowledged = true },
        },
        new("sentinel-replicas")
        {
            StartAsync = Sentinel,
            Extra = ["--Sessions:Redis:MinReplicas=1"],
            Rules = new Rules { MayLoseAcknowledged = true },
        },
        new("readthrough-file-redis") { StartAsync = ReadThrough(Files, Redis) },
        new("readthrough-redis-file") { StartAsync = ReadThrough(Redis, Files) },
        new("readthrough-redis-sqlite") { StartAsync = ReadThrough(Redis, Sqlite) },
        new("readthrough-redis-postgres") { StartAsync = ReadThrough(Redis, Postgres) },
        new("readthrough-mariadb-redis") { StartAsync = ReadThrough(MariaDb, Redis) },
    ];

    /// <summary>A store that loses what it acknowledged, and may not: a run that finds nothing there is worth nothing elsewhere.</summary>
    public static EnvironmentPlan Forgetful { get; } = new("forgetful") { StartAsync = RedisWith(static redis => new RollBack(redis)) };

    public static EnvironmentPlan? Find(string name) => All.FirstOrDefault(plan => plan.Name == name);

    private static Task<HttpEnvironment?> Redis(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        RedisEnvironment.TryStartAsync(plan, processes, special: null, cancellationToken);

    private static Start RedisWith(Func<RedisProcess, HttpFault> special) =>
        (plan, processes, cancellationToken) => RedisEnvironment.TryStartAsync(plan, processes, special, cancellationToken);

    private static Task<HttpEnvironment?> Sentinel(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        SentinelEnvironment.TryStartAsync(plan, cancellationToken);

    private static Task<HttpEnvironment?> Garnet(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        Task.FromResult<HttpEnvironment?>(new GarnetEnvironment(processes) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra });

    private static Task<HttpEnvironment?> Files(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        Folder(plan, FolderEnvironment.ForFiles);

    private static Task<HttpEnvironment?> Sqlite(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        Folder(plan, FolderEnvironment.ForSqlite);

    private static Task<HttpEnvironment?> Folder(EnvironmentPlan plan, Func<string, IReadOnlyList<string>> settings) =>
        Task.FromResult<HttpEnvironment?>(new FolderEnvironment(settings) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra });

    private static async Task<HttpEnvironment?> Postgres(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        Database(plan, processes, "postgres", await PostgresServer.TryStartAsync(cancellationToken));

    private static async Task<HttpEnvironment?> MariaDb(EnvironmentPlan plan, int processes, CancellationToken cancellationToken) =>
        Database(plan, processes, "mysql", await MariaDbServer.TryStartAsync(cancellationToken));

    private static DatabaseEnvironment? Database(EnvironmentPlan plan, int processes, string provider, DatabaseServer? server) =>
        server is null
            ? null
            : new DatabaseEnvironment(server, provider, processes) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra };

    private static Start ReadThrough(Start first, Start second) =>
        async (plan, processes, cancellationToken) =>
        {
            if (await first(plan, processes, cancellationToken) is not { } from)
                return null;
            if (await second(plan, processes, cancellationToken) is { } to)
                return new ReadThroughEnvironment(from, to) { Name = plan.Name, Rules = plan.Rules, Extra = plan.Extra };
            await from.DisposeAsync();
            return null;
        };
}
