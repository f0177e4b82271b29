using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Encryption at rest with Data Protection, the key ring in Redis as a farm has it.</summary>
public sealed class ProtectPayloadTests(StoreFixture store)
{
    private const string Number = "4111111111111111";
    private readonly string _ring = $"keys-{Guid.NewGuid():N}";

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/pay", (Session session) => { session["card"] = Number; });
        app.MapGet("/card", (Session session) => $"[{session["card"]}]");
        app.MapGet("/touch", (Session session) => { session.Increment("n"); });
        app.MapGet("/rotate", (Session session) => session.RegenerateId(deleteOld: true));
    }

    [Fact]
    public async Task Instances_that_share_the_key_ring_share_the_session_and_Redis_sees_nothing_of_it()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        await using var one = await StartAsync(redis, "shop");
        await using var other = await StartAsync(redis, "shop");
        using var browser = new Browser(one.Address, other.Address);
        await browser.GetAsync("/pay");
        foreach (var path in new[] { "/card", "/touch", "/card", "/rotate", "/card", "/card" })
            Assert.Contains((await browser.GetAsync(path)).Body, new[] { $"[{Number}]", "" });
        Assert.Equal($"[{Number}]", (await browser.GetAsync("/card")).Body);
        var bytes = await BytesAsync(redis, browser);
        Assert.Equal((byte)PayloadFormat.Protected, bytes[3]);
        Assert.DoesNotContain(Number, Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_encrypted_before_the_keys_were_rotated_is_read_after()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        using var browser = new Browser();
        string? id;
        await using (var before = await StartAsync(redis, "shop"))
        {
            using var first = before.NewBrowser();
            await first.GetAsync("/pay");
            id = first.Id;
        }

        await using var after = await StartAsync(redis, "shop");
        var keys = after.Services.GetRequiredService<IKeyManager>();
        keys.CreateNewKey(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(90));
        using var second = after.NewBrowser();
        second.Id = id;
        Assert.Equal($"[{Number}]", (await second.GetAsync("/card")).Body);
        await second.GetAsync("/touch");
        Assert.Equal($"[{Number}]", (await second.GetAsync("/card")).Body);
        Assert.True(keys.GetAllKeys().Count >= 2);
    }

    [Fact]
    public async Task Another_application_with_its_own_keys_gets_a_503_and_the_record_stays()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        await using var mine = await StartAsync(redis, "shop");
        await using var stranger = await StartAsync(redis, "stranger");
        using var browser = mine.NewBrowser();
        await browser.GetAsync("/pay");
        var bytes = await BytesAsync(redis, browser);
        using var elsewhere = stranger.NewBrowser();
        var answer = await elsewhere.SendAsync("/card", $"session={browser.Id}");
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, answer.Status);
        await stranger.Logs.HaveAsync("key ring");
        Assert.Equal(bytes, await BytesAsync(redis, browser));
    }

    [Fact]
    public async Task Switching_it_on_keeps_everybody_and_encrypts_at_the_next_commit()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        await using var plain = await SessionApp.StartAsync(store, Endpoints);
        using var browser = plain.NewBrowser();
        await browser.GetAsync("/pay");
        await using var sealing = await StartAsync(redis, "shop");
        using var later = sealing.NewBrowser();
        later.Id = browser.Id;
        Assert.Equal($"[{Number}]", (await later.GetAsync("/card")).Body);
        Assert.Equal((byte)PayloadFormat.MessagePack, (await BytesAsync(redis, later))[3]);
        await later.GetAsync("/touch");
        Assert.Equal((byte)PayloadFormat.Protected, (await BytesAsync(redis, later))[3]);
    }

    [Fact]
    public async Task Once_everything_is_encrypted_what_is_not_is_refused_and_so_is_a_payload_from_another_session()
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(store.Configuration);
        await using var app = await StartAsync(redis, "shop", acceptUnprotected: false);
        using var victim = app.NewBrowser();
        using var attacker = app.NewBrowser();
        await victim.GetAsync("/pay");
        await attacker.GetAsync("/touch");
        await redis.GetDatabase().StringSetAsync(Name(attacker), await BytesAsync(redis, victim));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await attacker.GetAsync("/card")).Status);

        await using var plain = await SessionApp.StartAsync(store, Endpoints);
        using var open = plain.NewBrowser();
        await open.GetAsync("/pay");
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await attacker.SendAsync("/card", $"session={open.Id}")).Status);
        Assert.Equal($"[{Number}]", (await victim.GetAsync("/card")).Body);
    }

    private Task<SessionApp> StartAsync(ConnectionMultiplexer redis, string application, bool acceptUnprotected = true) =>
        SessionApp.StartAsync(store, Endpoints, configure: builder =>
        {
            builder.Services.AddDataProtection().SetApplicationName(application).PersistKeysToStackExchangeRedis(redis, $"{_ring}-{application}");
            builder.Services.AddRedisSessions().ProtectPayload(acceptUnprotected);
        });

    private static async Task<byte[]> BytesAsync(ConnectionMultiplexer redis, Browser browser) => (byte[])(await redis.GetDatabase().StringGetAsync(Name(browser)))!;

    private static RedisKey Name(Browser browser) => SessionId.TryParse(browser.Id, out var id) ? $"session:{SessionKey.From(id)}" : throw new InvalidOperationException("no session");
}
