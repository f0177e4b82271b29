using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>What is the same for all stores: PHP and .NET at one session.</summary>
internal static class Shared
{
    public static SessionId NewId(SessionIdFormat format = SessionIdFormat.Php) => Instance.Parse(SessionId.New(format).Value, format);

    public static string Increment(SessionId id) => $"session_id('{id.Value}'); session_start(); $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1; session_write_close();";

    /// <summary>A request that takes a millisecond between reading and writing.</summary>
    private static string SlowIncrement(SessionId id) => Increment(id).Replace("$_SESSION['count'] =", "usleep(1000); $_SESSION['count'] =", StringComparison.Ordinal);

    public static string Read(SessionId id, string expression) =>
        $"session_id('{id.Value}'); session_start(['read_and_close' => true]); return {expression};";

    /// <summary>500 times PHP, 500 times .NET.</summary>
    public static async Task TakeTurnsAsync(PhpProcess php, SessionManager manager, SessionId id, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 500; i++)
        {
            await php.RunAsync(Increment(id), cancellationToken);
            await manager.IncrementAsync(id, "count", cancellationToken);
        }

        Assert.Equal(1000, await manager.CountAsync(id, "count", cancellationToken));
        Assert.Equal(1000, await php.NumberAsync(Read(id, "$_SESSION['count']"), cancellationToken));
    }

    /// <summary>Each of them, and each instance of .NET, increments so often, all at once. Each side also counts its own, under a key of its own.</summary>
    /// <returns>What has become of all increments, and of those of .NET, which are counted under a key that PHP never changes.</returns>
    public static async Task<(long Count, long Net)> AllAtOnceAsync(
        PhpProcess[] phps, SessionManager[] managers, SessionId id, int times, CancellationToken cancellationToken)
    {
        await phps[0].RunAsync($"session_id('{id.Value}'); session_start(); $_SESSION['count'] = 0; session_write_close();", cancellationToken);
        var working = phps.Select(php => Task.Run(() => php.RunAsync($"for ($i = 0; $i < {times}; $i++) {{ {SlowIncrement(id)} }}", cancellationToken), cancellationToken))
            .Concat(managers.Select(manager => Task.Run(async () =>
            {
                for (var i = 0; i < times; i++)
                {
                    var session = await manager.LoadAsync(id, cancellationToken: cancellationToken);
                    session.Increment("count");
                    session.Increment("net");
                    await session.CommitAsync(cancellationToken);
                }
            }, cancellationToken)));
        await Task.WhenAll(working);
        foreach (var php in phps)
            await php.DisposeAsync();
        var session = await managers[0].LoadAsync(id, cancellationToken: cancellationToken);
        return (session.Get<long>("count"), session.Get<long>("net"));
    }

    /// <summary>A visitor goes from PHP to .NET and back: login, reading, regenerating and destroying on either side.</summary>
    public static async Task WalkAsync(Func<PhpProcess> start, Func<ServiceProvider> create, CancellationToken cancellationToken)
    {
        await using var php = start();
        await using var instance = create();
        var (id, manager) = (NewId(), instance.Manager());

        // Login in PHP, read in .NET.
        await php.RunAsync($"session_id('{id.Value}'); session_start(); $_SESSION['account'] = ['current_user_id' => 42]; session_write_close();", cancellationToken);
        var session = await manager.LoadAsync(id, cancellationToken: cancellationToken);
        Assert.False(session.IsNew);
        Assert.Equal(42, session.Get<int>("account.current_user_id"));

        // Regenerate in .NET for a login, read in PHP: the old id has nothing any more.
        session["cart"] = new[] { "a", "b" };
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(cancellationToken);
        var next = Instance.Parse(session.Id);
        Assert.NotEqual(id, next);
        Assert.Equal("42/b", await php.TextAsync(Read(next, "$_SESSION['account']['current_user_id'] . '/' . $_SESSION['cart'][1]"), cancellationToken));
        Assert.Equal("no", await php.TextAsync(Read(id, "isset($_SESSION['account']) ? 'yes' : 'no'"), cancellationToken));
        Assert.True((await manager.LoadAsync(id, cancellationToken: cancellationToken)).IsNew);

        // Rotate in .NET: for a while PHP goes on with a copy under the old id, and .NET is led to the new one.
        session = await manager.LoadAsync(next, cancellationToken: cancellationToken);
        session.RegenerateId();
        await session.CommitAsync(cancellationToken);
        var rotated = Instance.Parse(session.Id);
        Assert.Equal("42", await php.TextAsync(Read(next, "$_SESSION['account']['current_user_id']"), cancellationToken));
        var led = await manager.LoadAsync(next, cancellationToken: cancellationToken);
        led["seen"] = true;
        await led.CommitAsync(cancellationToken);
        Assert.Equal("yes", await php.TextAsync(Read(rotated, "isset($_SESSION['seen']) ? 'yes' : 'no'"), cancellationToken));

        // Regenerate in PHP: the new session is one of .NET too, with its creation and without what was said of the old id.
        var phpId = await php.TextAsync($"session_id('{next.Value}'); session_start(); session_regenerate_id(true); $_SESSION['by'] = 'php'; $id = session_id(); session_write_close(); return $id;", cancellationToken);
        session = await manager.LoadAsync(Instance.Parse(phpId), cancellationToken: cancellationToken);
        Assert.False(session.IsNew);
        Assert.Equal("php", session.Get<string>("by"));
        Assert.Equal(42, session.Get<int>("account.current_user_id"));

        // Destroy in .NET, and a login in PHP on the same id afterwards is a session again.
        session.Destroy();
        await session.CommitAsync(cancellationToken);
        Assert.Equal("no", await php.TextAsync(Read(Instance.Parse(phpId), "isset($_SESSION['account']) ? 'yes' : 'no'"), cancellationToken));
        Assert.True((await manager.LoadAsync(Instance.Parse(phpId), cancellationToken: cancellationToken)).IsNew);
        await php.RunAsync($"session_id('{phpId}'); session_start(); $_SESSION['account'] = ['current_user_id' => 7]; session_write_close();", cancellationToken);
        session = await manager.LoadAsync(Instance.Parse(phpId), cancellationToken: cancellationToken);
        Assert.Equal(7, session.Get<int>("account.current_user_id"));

        // Destroy in PHP: what .NET has under way has no place any more.
        await php.RunAsync($"session_id('{phpId}'); session_start(); session_destroy();", cancellationToken);
        session["late"] = 1;
        var refused = await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(cancellationToken));
        Assert.True(refused.SessionEnded);
        Assert.True((await manager.LoadAsync(Instance.Parse(phpId), cancellationToken: cancellationToken)).IsNew);
    }

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
