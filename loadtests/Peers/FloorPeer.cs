using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StackExchange.Redis;

namespace Peers;

/// <summary>
/// The least that a session in Redis can cost over this client: one GETEX to read; one GETEX and one SET to write. Nothing is decoded, compared or merged, so
/// updates of two requests at once are lost. A value is the user's number, a counter and the payload.
/// </summary>
internal static class FloorPeer
{
    private const int Header = 2 * sizeof(long);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(20);

    public static async Task AddServicesAsync(IServiceCollection services, string redis) =>
        services.AddSingleton((await ConnectionMultiplexer.ConnectAsync(redis)).GetDatabase());

    public static void Map(WebApplication app, byte[] payload)
    {
        var user = JsonDocument.Parse(payload).RootElement.GetProperty("account.current_user_id").GetInt64();

        app.MapGet("/seed", async (HttpContext context, IDatabase database) =>
        {
            var id = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
            var value = new byte[Header + payload.Length];
            BinaryPrimitives.WriteInt64LittleEndian(value, user);
            payload.CopyTo(value, Header);
            await database.StringSetAsync(Key(id), value, IdleTimeout);
            context.Response.Cookies.Append("session", id, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
            return "ok";
        });

        app.MapGet("/read", static async (HttpContext context, IDatabase database) => Text(User(await ReadAsync(context, database))));

        app.MapGet("/set", static async (HttpContext context, IDatabase database, string key, string val) =>
        {
            var value = await ReadAsync(context, database);
            // The end of the payload, in the place of a key that is set.
            Encoding.UTF8.GetBytes(val.AsSpan(0, Math.Min(val.Length, 64)), value.AsSpan(value.Length - 256));
            await WriteAsync(context, database, value);
            return "ok";
        });

        app.MapGet("/incr", static async (HttpContext context, IDatabase database) =>
        {
            var value = await ReadAsync(context, database);
            var n = BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(sizeof(long))) + 1;
            BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(sizeof(long)), n);
            await WriteAsync(context, database, value);
            return Text(n);
        });
    }

    private static long User(byte[] value) => BinaryPrimitives.ReadInt64LittleEndian(value);

    private static async Task<byte[]> ReadAsync(HttpContext context, IDatabase database) =>
        (byte[]?)await database.StringGetSetExpiryAsync(Key(context.Request.Cookies["session"]), IdleTimeout)
        ?? throw new InvalidOperationException("No such session.");

    private static Task<bool> WriteAsync(HttpContext context, IDatabase database, byte[] value) =>
        database.StringSetAsync(Key(context.Request.Cookies["session"]), value, IdleTimeout);

    private static RedisKey Key(string? id) => "floor:" + id;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
