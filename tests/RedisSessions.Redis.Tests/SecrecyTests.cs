using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>Whatever goes wrong, neither a log nor an exception nor a key holds a session id or a value.</summary>
public abstract class SecrecyTests : EngineTests, IDisposable
{
    private const string Canary = "canary-value-that-nobody-may-see";

    private readonly LogCapture _log = new();
    private readonly List<Exception> _failures = [];

    protected SecrecyTests(RedisServerFixture redis) : base(redis) { }

    protected SecrecyTests(GarnetFixture garnet) : base(garnet) { }

    [Fact]
    public async Task No_id_and_no_value_is_ever_in_a_log_an_exception_or_the_name_of_a_key()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Instance.Create(
            $"{proxy.Configuration},asyncTimeout=1000,syncTimeout=1000",
            options => options.KeyPrefix = Prefix, options => options.MaxSize = 1024, _log);
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        await instance.WarmUpAsync(CancellationToken);
        var manager = instance.Manager();
        var session = manager.Create();
        session["secret"] = Canary;
        await session.CommitAsync(CancellationToken);
        Assert.True(SessionId.TryParse(session.Id, out var id));
        Secrets.Note(id.Value);
        RedisKey name = Prefix + SessionKey.From(id).Value;

        await ConflictAsync(manager, id);
        await FailAsync(async () =>
        {
            var session = await LoadAsync(manager, id);
            session["much"] = new string('x', 2000) + Canary;
            await session.CommitAsync(CancellationToken);
        }, typeof(SessionTooLargeException));
        proxy.Policy = command => command.IsScript || command.Name == "GETEX" ? Fault.CutReply : Fault.None;
        await FailAsync(() => LoadAsync(manager, id), typeof(SessionStoreException));
        proxy.Policy = command => command.IsScript || command.Name == "GETEX" ? Fault.SwallowReply : Fault.None;
        await FailAsync(() => LoadAsync(manager, id), typeof(SessionStoreException));
        proxy.Policy = static _ => Fault.None;
        await redis.GetDatabase().StringSetAsync(name, $"{Canary} is no record", TimeSpan.FromMinutes(1));
        proxy.DropConnections();
        await Poll.UntilAsync(async () => await UnreadableAsync(manager, id), Patience, "the damaged record is what is wrong", CancellationToken);

        Assert.NotEmpty(_log.Entries);
        Assert.Contains(_log.Entries, entry => entry.Id == 101);
        string[] seen =
        [
            .. _log.Entries.Select(entry => entry.Text + entry.Rest),
            .. _failures.Select(failure => failure.ToString() + string.Join('\n', failure.Data.Values.Cast<object>())),
            .. redis.GetServers()[0].Keys(pattern: Prefix + "*").Select(key => key.ToString()),
        ];
        foreach (var secret in (string[])[id.Value, Canary])
            Assert.All(seen, text => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    public void Dispose()
    {
        _log.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task ConflictAsync(SessionManager manager, SessionId id)
    {
        var (one, other) = (await LoadAsync(manager, id), await LoadAsync(manager, id));
        foreach (var session in (Session[])[one, other])
            session["secret"] = session.Get<string>("secret") + "!";
        await one.CommitAsync(CancellationToken);
        await FailAsync(async () => await other.CommitAsync(CancellationToken), typeof(SessionConflictException));
    }

    private async Task<bool> UnreadableAsync(SessionManager manager, SessionId id)
    {
        var failure = await Record.ExceptionAsync(() => LoadAsync(manager, id));
        if (failure is not null)
            _failures.Add(failure);
        return failure?.InnerException is FormatException;
    }

    private async Task FailAsync(Func<Task> action, Type type)
    {
        var failure = await Record.ExceptionAsync(action);
        Assert.IsType(type, failure);
        _failures.Add(failure!);
    }

    private static Task<Session> LoadAsync(SessionManager manager, SessionId id) => manager.LoadAsync(id, cancellationToken: CancellationToken).AsTask();
}

public sealed class RedisSecrecyTests(RedisServerFixture redis) : SecrecyTests(redis);

public sealed class GarnetSecrecyTests(GarnetFixture garnet) : SecrecyTests(garnet);
