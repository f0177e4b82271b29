using Microsoft.Extensions.DependencyInjection;
using RedisSessions.Redis.Tests.Servers;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>The users that <c>docker/redis/start.sh</c> makes: what each may not do, and that their passwords are shown to nobody.</summary>
public sealed class FarmUserTests : IAsyncLifetime
{
    private FarmRedis? _redis;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    private FarmRedis Redis
    {
        get
        {
            if (_redis is null)
                Assert.Skip(FarmRedis.None);
            return _redis;
        }
    }

    public async ValueTask InitializeAsync() => _redis = await FarmRedis.TryStartAsync("session:", CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_redis is not null)
            await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData("KEYS", "*")]
    [InlineData("SCAN", "0")]
    [InlineData("RANDOMKEY")]
    [InlineData("FLUSHALL")]
    [InlineData("FLUSHDB")]
    [InlineData("CONFIG", "GET", "masterauth")]
    [InlineData("CONFIG", "SET", "dir", "/tmp")]
    [InlineData("ACL", "LIST")]
    [InlineData("SAVE")]
    [InlineData("REPLICAOF", "127.0.0.1", "1")]
    [InlineData("SHUTDOWN", "NOSAVE")]
    [InlineData("CLIENT", "KILL", "TYPE", "normal")]
    [InlineData("CLIENT", "PAUSE", "100000")]
    [InlineData("CLIENT", "LIST")]
    [InlineData("CLIENT", "UNBLOCK", "1")]
    [InlineData("CLIENT", "NO-EVICT", "on")]
    [InlineData("CLIENT", "TRACKING", "on")]
    [InlineData("SCRIPT", "FLUSH")]
    [InlineData("SCRIPT", "KILL")]
    [InlineData("FUNCTION", "FLUSH")]
    [InlineData("CLUSTER", "RESET")]
    [InlineData("CLUSTER", "FAILOVER")]
    [InlineData("MONITOR")]
    [InlineData("MODULE", "LIST")]
    [InlineData("SWAPDB", "0", "1")]
    [InlineData("MIGRATE", "127.0.0.1", "1", "session:x", "0", "1")]
    [InlineData("DUMP", "session:x")]
    [InlineData("RENAME", "session:x", "session:y")]
    [InlineData("GET", "other:x")]
    [InlineData("SET", "other:x", "1")]
    [InlineData("DEL", "sessio")]
    [InlineData("EVAL", "return 1", "1", "other:x")]
    [InlineData("PUBLISH", "other:x", "1")]
    [InlineData("PUBLISH", "__sentinel__:hello", "1")]
    [InlineData("SUBSCRIBE", "other:x")]
    [InlineData("PSUBSCRIBE", "*")]
    public async Task The_user_of_sessions_may_not(params string[] command) => Assert.Contains("NOPERM", await AskAsync("sessions", Redis.Password, command), StringComparison.Ordinal);

    [Theory]
    [InlineData("return redis.call('GET', 'other:x')", "can't access at least one of the keys")]
    [InlineData("return redis.call('FLUSHALL')", "can't run this command")]
    [InlineData("return redis.call('PUBLISH', 'other:x', '1')", "can't publish")]
    public async Task Nor_may_a_script_of_it(string script, string refusal) =>
        Assert.Contains(refusal, await AskAsync("sessions", Redis.Password, ["EVAL", script, "0"]), StringComparison.Ordinal);

    [Theory]
    [InlineData("GET", "session:x")]
    [InlineData("GETEX", "session:x")]
    [InlineData("DUMP", "session:x")]
    [InlineData("KEYS", "*")]
    [InlineData("FLUSHALL")]
    [InlineData("EVAL", "return 1", "0")]
    [InlineData("CONFIG", "SET", "dir", "/tmp")]
    [InlineData("ACL", "SETUSER", "servers", "+@all")]
    [InlineData("MONITOR")]
    [InlineData("CLIENT", "PAUSE", "100000")]
    public async Task Servers_see_no_session(params string[] command) => Assert.Contains("NOPERM", await AskAsync("servers", Redis.ServersPassword, command), StringComparison.Ordinal);

    [Theory]
    [InlineData("default", "")]
    [InlineData("default", "a password")]
    [InlineData("sessions", "a password")]
    public async Task Nobody_else_gets_in(string user, string password) => Assert.Matches("WRONGPASS|NOAUTH", await AskAsync(user, password, ["PING"]));

    [Fact]
    public async Task Its_rights_are_those_of_the_documents_without_the_settings_of_the_server()
    {
        // Among the settings is the password by which servers know each other. What the start checks ask for, INFO says too.
        var line = (await File.ReadAllLinesAsync(Path.Combine(Redis.Data, "users.acl"), CancellationToken)).Single(line => line.StartsWith("user sessions ", StringComparison.Ordinal));
        string[] made = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => word[0] is '+' or '~' or '&')];
        string[] documented = [.. AccessRightsTests.Documented().Where(word => word[0] is '+' or '~' or '&' && word != "+config|get")];
        Assert.Equal(documented.Order(StringComparer.Ordinal), made.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_application_finds_nothing_to_complain_about_and_its_messages_arrive()
    {
        var log = new LogCapture();
        await using var instance = Instance.Create(Redis.Configuration, log: log);
        await using var other = Instance.Create(Redis.Configuration);
        await instance.StartAsync(CancellationToken);
        // 103: the self-test; 114 to 117: settings that lose sessions, or that may not be asked for.
        Assert.Contains(log.Entries, entry => entry.Id == 103);
        Assert.DoesNotContain(log.Entries, entry => entry.Id is >= 114 and <= 118);

        var (key, idle) = (SessionKey.From(SessionId.New()), TimeSpan.FromMinutes(20));
        var (changes, heard) = ((ISessionChanges)other.Handler(), new TaskCompletionSource<SessionVersion>(TaskCreationOptions.RunContinuationsAsynchronously));
        using var here = ((ISessionChanges)instance.Handler()).Watch(static (_, _) => { }, static () => { });
        using var there = changes.Watch((told, version) => _ = told == key && heard.TrySetResult(version), static () => { });
        await Poll.UntilAsync(() => changes.Arrive && ((ISessionChanges)instance.Handler()).Arrive, TimeSpan.FromSeconds(30), "messages arrive", CancellationToken);
        await instance.Handler().CommitAsync(key, SessionVersion.None, Instance.Record(1), idle, CancellationToken);
        await instance.Handler().CommitAsync(key, new SessionVersion(1), Instance.Record(2), idle, CancellationToken);
        Assert.Equal(new SessionVersion(2), await heard.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken));
    }

    [Fact]
    public async Task Passwords_stand_in_no_command_line_no_environment_no_output_and_not_in_the_clear_among_the_users()
    {
        await AskAsync("sessions", Redis.Password, ["PING"]);
        await Redis.AskAsync("health", CancellationToken);
        string[] shown =
        [
            await File.ReadAllTextAsync($"/proc/{Redis.ProcessId}/cmdline", CancellationToken), await File.ReadAllTextAsync($"/proc/{Redis.ProcessId}/environ", CancellationToken),
            await File.ReadAllTextAsync(Path.Combine(Redis.Data, "users.acl"), CancellationToken), Redis.Output,
        ];
        Assert.All(shown, text => Assert.DoesNotContain(Redis.Password, text, StringComparison.Ordinal));
        Assert.All(shown, text => Assert.DoesNotContain(Redis.ServersPassword, text, StringComparison.Ordinal));
        // Servers have to show each other theirs: it stands in a file that only its owner can read.
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Redis.Data, "redis.conf")));
        Assert.DoesNotContain(Redis.Password, await File.ReadAllTextAsync(Path.Combine(Redis.Data, "redis.conf"), CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_changed_without_a_moment_in_which_none_works()
    {
        const string next = "0123456789abcdef-the-next-one";
        await File.WriteAllTextAsync(Redis.PasswordFile, $"{Redis.Password}\n{next}\n", CancellationToken);
        await Redis.AskAsync("reload", CancellationToken);
        Assert.Equal(["PONG", "PONG"], [await AskAsync("sessions", Redis.Password, ["PING"]), await AskAsync("sessions", next, ["PING"])]);

        await File.WriteAllTextAsync(Redis.PasswordFile, next, CancellationToken);
        await Redis.AskAsync("reload", CancellationToken);
        Assert.Equal("PONG", await AskAsync("sessions", next, ["PING"]));
        Assert.Contains("WRONGPASS", await AskAsync("sessions", Redis.Password, ["PING"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short", "it must have at least 16")]
    [InlineData("", "it must have a password")]
    [InlineData("a password with \"quotes\" and spaces", "a character that settings have no form for")]
    public async Task A_password_that_cannot_be_used_is_refused_and_not_repeated(string password, string reason)
    {
        await File.WriteAllTextAsync(Redis.PasswordFile, password, CancellationToken);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => Redis.AskAsync("reload", CancellationToken));
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        if (password.Length > 0)
            Assert.DoesNotContain(password, e.Message, StringComparison.Ordinal);
        // The server goes on with what it has.
        Assert.Equal("PONG", await AskAsync("sessions", Redis.Password, ["PING"]));
    }

    /// <summary>What the server answers, errors included; after signing in as the user.</summary>
    private async Task<string> AskAsync(string user, string password, string[] command)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync("127.0.0.1", Redis.Port, CancellationToken);
        var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        if (await SendAsync(["AUTH", user, password]) is { } signedIn && signedIn != "+OK")
            return signedIn;
        return (await SendAsync(command)).TrimStart('+', '-');

        async Task<string> SendAsync(string[] words)
        {
            var request = $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(request), CancellationToken);
            return await reader.ReadLineAsync(CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), CancellationToken) ?? "";
        }
    }
}
