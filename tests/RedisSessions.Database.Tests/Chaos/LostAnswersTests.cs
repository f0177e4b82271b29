using System.Data.Common;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MySqlConnector;
using Npgsql;
using RedisSessions.Redis.Tests;
using RedisSessions.Redis.Tests.Chaos;
using RedisSessions.TestServers;
using RedisSessions.TestServers.Histories;

namespace RedisSessions.Database.Tests.Chaos;

/// <summary>
/// The network loses the answers of real servers: after the statement has arrived and before, or in the middle of, what they say to it. SQLite has no network;
/// that a driver fails after the statement is done is in <see cref="FaultTests"/> for all engines.
/// </summary>
public sealed class LostAnswersTests(PostgresServerFixture postgres, MariaDbServerFixture mariaDb)
{
    private const int Workers = 8;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task After_two_hundred_lost_answers_every_counter_is_what_was_acknowledged(string name)
    {
        var (acknowledged, counted, history, lost) = await RunAsync(name, handler => handler, losses: 200);
        TestContext.Current.TestOutputHelper?.WriteLine($"MEASURED {name}: {lost} answers lost; {acknowledged} increments acknowledged, {counted} counted; {history}");
        Assert.True(lost >= 200, $"Only {lost} answers were lost.");
        // Who had no luck ten times in a row does not know; the checker looks for each one by its token.
        Assert.InRange(counted, acknowledged, acknowledged + history.Count(Outcome.Unknown));
        history.Verify();
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("mariadb")]
    public async Task Without_commit_ids_it_would_show(string name)
    {
        var (acknowledged, counted, history, _) = await RunAsync(name, handler => new ForgetsCommitIds(handler), losses: 40);
        Assert.True(counted > acknowledged + history.Count(Outcome.Unknown), $"{counted} of {acknowledged}: this test would not see a double commit.");
        Assert.Contains(history.Violations(), violation => violation.Contains("applied twice", StringComparison.Ordinal));
    }

    private async Task<(long Acknowledged, long Counted, SessionHistory History, int Lost)> RunAsync(string name, Func<ISessionHandler, ISessionHandler> decorate, int losses)
    {
        await using var engine = new Engines(postgres, mariaDb).Create(name);
        var connection = new DbConnectionStringBuilder { ConnectionString = name == "postgres" ? postgres.Server.ConnectionString : mariaDb.Server.ConnectionString };
        await using var proxy = FaultProxy.StartPlain($"{connection["Host"]}:{connection["Port"]}");
        connection["Host"] = "127.0.0.1";
        connection["Port"] = proxy.Port;
        await using DbDataSource source = name == "postgres"
            ? NpgsqlDataSource.Create($"{connection};Maximum Pool Size={Workers};Cancellation Timeout=500")
            : new MySqlDataSource($"{connection};Maximum Pool Size={Workers};Cancellation Timeout=1");

        var direct = engine.Instance().GetRequiredService<SessionManager>();
        var instance = engine.Instance(
            options => (options.Tries, options.CommandTimeout) = (10, TimeSpan.FromSeconds(1)), options => options.CommitTimeout = TimeSpan.FromMinutes(1), source: source);
        var manager = new SessionManager(
            decorate(instance.GetRequiredService<ISessionHandler>()), instance.GetRequiredService<IOptions<RedisSessionsOptions>>(), TimeProvider.System,
            instance.GetRequiredService<ILogger<SessionManager>>());
        var sessions = Enumerable.Range(0, Workers).Select(_ => direct.Create()).ToArray();
        foreach (var session in sessions)
        {
            session["n"] = 0;
            await session.CommitAsync(CancellationToken);
        }

        var ids = sessions.Select(session => SessionId.TryParse(session.Id, out var id) ? id : throw new FormatException()).ToArray();
        var history = new SessionHistory();
        var (acknowledged, counted, started) = (0L, 0L, Stopwatch.GetTimestamp());
        // The statement is in clear, and in one piece with its values.
        var update = $"UPDATE {engine.Quoted} SET";
        proxy.Policy = bytes => bytes.Text.Value.Contains(update, StringComparison.Ordinal) && Random.Shared.Next(3) == 0 ? Any() : Fault.None;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(i => Task.Run(async () =>
        {
            while (proxy.LostAnswers < losses && Stopwatch.GetElapsedTime(started) < Longest)
            {
                await history.PushAsync($"s{i}", 0, async token =>
                {
                    var session = await manager.LoadAsync(ids[i], cancellationToken: CancellationToken);
                    session.Increment("n");
                    session.Push("log", token);
                    try
                    {
                        await session.CommitAsync(CancellationToken);
                    }
                    catch (SessionStoreException)
                    {
                        return Outcome.Unknown;
                    }

                    Interlocked.Increment(ref acknowledged);
                    return Outcome.Acknowledged;
                });
            }
        }, CancellationToken)));

        proxy.Policy = static _ => Fault.None;
        for (var i = 0; i < Workers; i++)
        {
            await history.LookAsync(direct, $"s{i}", ids[i]);
            counted += (await direct.LoadAsync(ids[i], cancellationToken: CancellationToken)).Get<long>("n");
        }

        return (acknowledged, counted, history, proxy.LostAnswers);
    }

    private static Fault Any() => Random.Shared.Next(20) switch
    {
        < 10 => Fault.CutReply,
        < 14 => Fault.CutInsideReply,
        < 17 => Fault.HalfClose,
        < 19 => Fault.Refused,
        // Costs a time-out of a second, because nobody tells the client.
        _ => Fault.SwallowReply,
    };
}
