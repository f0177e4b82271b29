using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>What the index of users is in Redis: how it grows, shrinks and ends.</summary>
public abstract class UserIndexTests : EngineTests
{
    private const string User = "ann";
    private readonly Day _time = new();

    protected UserIndexTests(RedisServerFixture redis) : base(redis) { }

    protected UserIndexTests(GarnetFixture garnet) : base(garnet) { }

    private string Name { get; } = "user:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(User)));

    [Fact]
    public async Task It_is_a_sorted_set_named_by_the_hash_of_the_user_and_ends_with_the_last_session()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();
        var (longer, shorter) = (await CommitAsync(instance, TimeSpan.FromHours(3)), await CommitAsync(instance, TimeSpan.FromHours(1)));

        var index = await database.SortedSetRangeByRankWithScoresAsync(Prefix + Name);
        Assert.Equal(["new", shorter.Value, longer.Value], index.Select(member => member.Element.ToString()));
        Assert.InRange(index[^1].Score - _time.GetUtcNow().ToUnixTimeMilliseconds(), TimeSpan.FromHours(2.9).TotalMilliseconds, TimeSpan.FromHours(3).TotalMilliseconds);
        Assert.InRange((await database.KeyTimeToLiveAsync(Prefix + Name))!.Value, TimeSpan.FromHours(2.9), TimeSpan.FromHours(3));
        Assert.All(redis.GetServers()[0].Keys(pattern: Prefix + "*"), key => Assert.DoesNotContain(User, key.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whoever_signs_in_clears_away_what_is_past_its_deadline()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        await CommitAsync(instance, TimeSpan.FromHours(1));
        _time.Advance(TimeSpan.FromHours(2));
        var key = await CommitAsync(instance, TimeSpan.FromHours(1));
        Assert.Equal(["new", key.Value], (await redis.GetDatabase().SortedSetRangeByRankAsync(Prefix + Name)).Select(member => member.ToString()));
    }

    [Fact]
    public async Task A_key_without_a_record_is_taken_out_but_not_while_somebody_may_be_signing_in()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var database = redis.GetDatabase();
        var (stays, goes) = (await CommitAsync(instance, TimeSpan.FromHours(1)), await CommitAsync(instance, TimeSpan.FromHours(1)));
        Assert.True(await instance.Handler().DeleteAsync(goes, CancellationToken));

        // Its record may be on its way: a sign-in puts the key into the index first.
        Assert.Equal([stays], await FoundAsync(instance));
        await instance.Handler().CommitAsync(goes, SessionVersion.None, Instance.Record(1), TimeSpan.FromMinutes(20), CancellationToken);
        Assert.Equal(new[] { stays.Value, goes.Value }.Order(), (await FoundAsync(instance)).Select(key => key.Value).Order());

        Assert.True(await instance.Handler().DeleteAsync(goes, CancellationToken));
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal([stays], await FoundAsync(instance));
        await Poll.UntilAsync(
            async () => await database.SortedSetScoreAsync(Prefix + Name, goes.Value) is null, Patience, "the key is taken out", CancellationToken);
        Assert.NotNull(await database.SortedSetScoreAsync(Prefix + Name, stays.Value));
    }

    [Fact]
    public async Task Looking_moves_no_deadline()
    {
        await using var instance = Create();
        await using var redis = await ConnectionMultiplexer.ConnectAsync(Configuration);
        var key = await CommitAsync(instance, TimeSpan.FromHours(1));
        await redis.GetDatabase().KeyExpireAsync(Prefix + key.Value, TimeSpan.FromSeconds(90));
        Assert.Equal([key], await FoundAsync(instance));
        Assert.InRange((await redis.GetDatabase().KeyTimeToLiveAsync(Prefix + key.Value))!.Value, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(90));
    }

    [Fact]
    public async Task A_session_whose_commit_failed_half_way_is_in_the_index_and_not_only_in_the_store()
    {
        await using var proxy = FaultProxy.Start(Configuration);
        await using var instance = Create(proxy.Configuration);
        await instance.WarmUpAsync(CancellationToken);
        // Whichever script is lost, there is no session that the index does not know.
        for (var survivor = 0; survivor < 2; survivor++)
        {
            var scripts = 0;
            var left = survivor;
            proxy.Policy = command => command.IsScript && Interlocked.Increment(ref scripts) > left ? Fault.CutReply : Fault.None;
            var key = SessionKey.From(SessionId.New());
            await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(instance, TimeSpan.FromHours(1), key));
            proxy.Policy = static _ => Fault.None;
            await instance.WarmUpAsync(CancellationToken);
            var stored = await instance.Handler().ReadAsync(key, TimeSpan.FromMinutes(20), CancellationToken) is not null;
            Assert.Equal(survivor == 1, stored);
            Assert.Equal(stored, (await FoundAsync(instance)).Contains(key));
        }
    }

    private async Task<SessionKey> CommitAsync(ServiceProvider instance, TimeSpan absolute, SessionKey? key = null)
    {
        var (record, name) = (Instance.Record(1), key ?? SessionKey.From(SessionId.New()));
        await instance.Handler().CommitAsync(name, SessionVersion.None, new SessionRecord
        {
            Version = record.Version,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = _time.GetUtcNow() + absolute,
            CommitIds = record.CommitIds,
            PayloadFormat = record.PayloadFormat,
            Payload = record.Payload,
            UserId = User,
            IndexUser = true,
        }, TimeSpan.FromMinutes(20), CancellationToken);
        return name;
    }

    private static async Task<SessionKey[]> FoundAsync(ServiceProvider instance) =>
        [.. (await Assert.IsAssignableFrom<ISessionIndex>(instance.Handler()).FindAsync(User, CancellationToken)).Select(found => found.Key)];

    private ServiceProvider Create(string? configuration = null) => Instance.Create(builder =>
    {
        builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time));
        builder.AddRedis(options => (options.Configuration, options.KeyPrefix) = (configuration ?? Configuration, Prefix));
    });

    /// <summary>The time of day is the test's; waiting is real.</summary>
    private sealed class Day : TimeProvider
    {
        private TimeSpan _ahead;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _ahead;

        public void Advance(TimeSpan time) => _ahead += time;
    }
}

public sealed class RedisUserIndexTests(RedisServerFixture redis) : UserIndexTests(redis);

public sealed class GarnetUserIndexTests(GarnetFixture garnet) : UserIndexTests(garnet);
