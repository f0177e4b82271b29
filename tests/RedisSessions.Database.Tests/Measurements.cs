using System.Diagnostics;
using System.Globalization;
using RedisSessions.Conformance;

namespace RedisSessions.Database.Tests;

/// <summary>Figures, not verdicts; how to run them is in <c>docs/measurements.md</c>.</summary>
public sealed class Measurements(Engines engines) : IClassFixture<Engines>
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Theory(Explicit = true)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Collecting_a_million_expired_rows(string name)
    {
        const int Rows = 1_000_000;
        await using var engine = engines.Create(name);
        var (handler, other) = (engine.Handler(), engine.Handler());
        var key = Records.NewKey();
        await handler.CommitAsync(key, 0, Records.Live(1));
        await FillAsync(engine, Rows, idleDeadline: 1);

        using var done = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken);
        var waits = new List<double>();
        var committing = Task.Run(async () =>
        {
            for (ulong version = 1; !done.IsCancellationRequested; version++)
            {
                var began = Stopwatch.GetTimestamp();
                Assert.IsType<CommitResult.Committed>(await other.CommitAsync(key, version, Records.Live(version + 1)));
                waits.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        }, CancellationToken);
        var started = Stopwatch.GetTimestamp();
        var collected = await ((IExpiredSessions)handler).CollectAsync(CancellationToken);
        var elapsed = Stopwatch.GetElapsedTime(started);
        await done.CancelAsync();
        await committing;

        Assert.Equal(Rows, collected);
        Assert.NotNull(await handler.ReadAsync(key));
        waits.Sort();
        await SayAsync(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {collected:N0} expired rows in {elapsed.TotalSeconds:F1} s, {collected / elapsed.TotalSeconds:N0} rows/s; {waits.Count:N0} commits meanwhile, median {waits[waits.Count / 2]:F1} ms, p99 {waits[waits.Count * 99 / 100]:F1} ms, longest {waits[^1]:F1} ms"));
    }

    [Theory(Explicit = true)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_read_and_a_commit_among_a_thousand_sessions_and_among_a_hundred_thousand(string name)
    {
        await using var engine = engines.Create(name);
        var handler = engine.Handler();
        await handler.CommitAsync(Records.NewKey(), 0, Records.Live(1));
        await FillAsync(engine, 1_000, DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
        var few = await HandlerCost.OfAsync(handler, CancellationToken);
        await FillAsync(engine, 99_000, DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
        await HandlerCost.CompareAsync(name, few, await HandlerCost.OfAsync(handler, CancellationToken));
    }

    /// <summary>Rows as a session of about 300 bytes has them, under keys that are spread as hashes are.</summary>
    private static async Task FillAsync(Engine engine, int rows, long idleDeadline)
    {
        const int Step = 50_000;
        var payload = Convert.ToBase64String(new byte[300]);
        await using var connection = await engine.CreateSource().OpenConnectionAsync(CancellationToken);
        for (var from = 0; from < rows; from += Step)
        {
            var count = Math.Min(Step, rows - from);
            var id = engine.Dialect == SqlDialect.Sqlite ? "hex(randomblob(16))" : engine.Dialect == SqlDialect.Postgres ? "md5(random()::text || n::text)" : "concat(md5(uuid()), n)";
            await using var command = engine.Command(connection,
                "INSERT INTO {table} (id, user_id, version, state, created_at, last_activity, idle_deadline, absolute_deadline, payload) "
                + (engine.Dialect == SqlDialect.MySql ? $"SELECT {id}, NULL, 1, 0, 0, 0, @deadline, @deadline, @payload FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c) AS numbers"
                    : $"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT {id}, NULL, 1, 0, 0, 0, @deadline, @deadline, @payload FROM c"),
                ("@deadline", idleDeadline), ("@payload", payload));
            command.CommandTimeout = 300;
            if (engine.Dialect == SqlDialect.MySql)
                command.CommandText = "SET SESSION max_recursive_iterations = 1000000; " + command.CommandText;
            Assert.Equal(count, await command.ExecuteNonQueryAsync(CancellationToken));
        }
    }

    private static async Task SayAsync(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        await Console.Error.WriteLineAsync("MEASURED " + line);
    }
}
