using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>What a layout of PHP's goes together with, and what it refuses at start, with a sentence. No PHP is needed for that.</summary>
public sealed class LayoutTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("php-layout-").FullName;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_near_cache_is_refused()
    {
        using var instance = Create(sessions: options => options.NearCache.MaxStaleness = TimeSpan.FromSeconds(2));
        Assert.Contains("NearCache", Assert.Throws<InvalidOperationException>(() => instance.Manager()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encryption_is_refused()
    {
        using var instance = Instance.Create(builder => builder.Services.AddSingleton<ISessionPayloadProtector>(new NoProtector()), file: Configure);
        Assert.Contains("ProtectPayload", Assert.Throws<InvalidOperationException>(() => instance.Manager()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_through_is_refused()
    {
        await using var instance = Instance.Create(
            builder => builder.AddRedis("127.0.0.1:1,abortConnect=false"), options => (options.Handler, options.ReadThrough) = ("redis", "file"), file: Configure);
        Assert.Contains("ReadThrough", Assert.Throws<InvalidOperationException>(() => instance.Manager()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SessionLayout.UserFrosting, null, 0, "Layout is UserFrosting")]
    [InlineData(SessionLayout.Laravel, null, 0, "KeyPrefix is not set")]
    [InlineData(SessionLayout.Php, "p:", 1, "MinReplicas")]
    [InlineData((SessionLayout)9, "p:", 0, "Layout is 9")]
    [InlineData(SessionLayout.Php, "p:", 0, "TouchInterval", 60)]
    public void Settings_of_Redis_that_cannot_work_are_refused(SessionLayout layout, string? prefix, int replicas, string because, int touchSeconds = 0)
    {
        using var instance = Instance.Create(builder => builder.AddRedis(options =>
        {
            (options.Configuration, options.Layout, options.MinReplicas) = ("127.0.0.1:1", layout, replicas);
            options.TouchInterval = TimeSpan.FromSeconds(touchSeconds);
            if (prefix is not null)
                options.KeyPrefix = prefix;
        }));
        var refused = Assert.Throws<OptionsValidationException>(() => instance.GetRequiredService<IOptions<RedisHandlerOptions>>().Value);
        Assert.Contains(because, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_prefix_is_that_of_phpredis_until_it_is_set()
    {
        Assert.Equal("session:", new RedisHandlerOptions().KeyPrefix);
        Assert.Equal("PHPREDIS_SESSION:", new RedisHandlerOptions { Layout = SessionLayout.Php }.KeyPrefix);
        Assert.Equal("session:", new RedisHandlerOptions { Layout = SessionLayout.Php, KeyPrefix = "session:" }.KeyPrefix);
    }

    [Fact]
    public async Task Exclusive_access_and_the_directory_say_why_not()
    {
        await using var instance = Create();
        var id = await MakeAsync(instance.Manager());
        Assert.Contains("Exclusive", (await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await instance.Manager().LoadAsync(id, SessionAccess.Exclusive, CancellationToken))).Message, StringComparison.Ordinal);
        Assert.Contains("index", (await Assert.ThrowsAsync<InvalidOperationException>(async () =>
            await instance.GetRequiredService<ISessionDirectory>().ListAsync("42", null, CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_flashed_and_noted_stands_in_the_session_and_is_understood_again()
    {
        await using var instance = Create();
        var session = instance.Manager().Create();
        session.Flash("status", "Saved.");
        session.IsPersistent = true;
        session.IdleTimeout = TimeSpan.FromDays(30);
        session.AbsoluteTimeout = TimeSpan.FromDays(60);
        await session.CommitAsync(CancellationToken);
        var id = Instance.Parse(session.Id);
        var text = await File.ReadAllTextAsync(Path.Combine(_folder, "sess_" + id.Value), CancellationToken);
        // Where Laravel has it too.
        Assert.Contains("_flash|a:1:{s:3:\"old\";a:1:{i:0;s:6:\"status\";}}", text, StringComparison.Ordinal);
        Assert.Contains("_session|a:2:{s:6:\"cookie\";s:", text, StringComparison.Ordinal);

        var again = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        Assert.True(again.IsPersistent);
        Assert.Equal((TimeSpan.FromDays(30), TimeSpan.FromDays(60)), (again.IdleTimeout, again.AbsoluteTimeout));
        Assert.Equal("Saved.", again.Get<string>("status"));
        Assert.Equal(["status"], again.All().Keys);
        await again.CommitAsync(CancellationToken);
        again = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        await again.CommitAsync(CancellationToken);
        Assert.False((await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken)).Has("status"));
    }

    [Fact]
    public async Task Empty_lists_of_flash_data_which_Laravel_leaves_are_no_reason_to_write()
    {
        await using var instance = Create();
        var id = Shared.NewId();
        var file = Path.Combine(_folder, "sess_" + id.Value);
        const string Text = "_flash|a:2:{s:3:\"old\";a:0:{}s:3:\"new\";a:0:{}}n|i:1;";
        await File.WriteAllTextAsync(file, Text, CancellationToken);
        var session = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        Assert.Equal(1, session.Get<int>("n"));
        await session.CommitAsync(CancellationToken);
        Assert.Equal(Text, await File.ReadAllTextAsync(file, CancellationToken));
    }

    [Fact]
    public async Task Bytes_that_happen_to_be_text_read_as_both()
    {
        await using var instance = Create();
        var session = instance.Manager().Create();
        session["text"] = "abc"u8.ToArray();
        session["bytes"] = new byte[] { 0xff, 0xfe };
        session["moment"] = new DateTimeOffset(2020, 2, 29, 12, 0, 0, TimeSpan.Zero);
        await session.CommitAsync(CancellationToken);
        session = await instance.Manager().LoadAsync(Instance.Parse(session.Id), cancellationToken: CancellationToken);
        Assert.Equal("abc", session["text"]);
        Assert.Equal("abc"u8.ToArray(), session.Get<byte[]>("text"));
        Assert.Equal(new byte[] { 0xff, 0xfe }, session.Get<byte[]>("bytes"));
        Assert.Equal("2020-02-29T12:00:00.0000000Z", session.Get<string>("moment"));
    }

    [Fact]
    public void A_record_has_the_version_of_its_bytes_once_it_was_written()
    {
        var (format, key, now) = (new PhpRecordFormat(PhpSessionFormat.Php, TimeSpan.FromHours(12)), SessionKey.From(Shared.NewId()), new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var record = new SessionRecord
        {
            Version = new SessionVersion(7), CreatedAt = now, AbsoluteDeadline = now.AddHours(1), CommitIds = [CommitId.New()], PayloadFormat = PayloadFormat.MessagePack,
            Payload = new byte[] { 0x81, 0xa1, (byte)'n', 0x05 },
        };
        var stored = format.Write(key, record);
        Assert.Equal(PhpRecordFormat.VersionOf(stored), record.Version);
        var read = format.Read(key, stored, now);
        Assert.Equal((record.Version, record.CommitIds[0]), (read.Version, read.CommitIds[0]));
        Assert.Equal(record.Payload.ToArray(), read.Payload.ToArray());
        // Redis has to come to the same.
        Assert.StartsWith(record.Version.Value.ToString("x16", null), Convert.ToHexStringLower(SHA1.HashData(stored)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 0, false)]
    [InlineData(1, 1, true)]
    [InlineData(1, 8, false)]
    [InlineData(2, 0, false)]
    [InlineData(2, 1, false)]
    public void Where_the_ids_of_commits_do_not_tell_nothing_is_tried_again(int mine, int there, bool tells) =>
        Assert.Equal(tells, PhpRecordFormat.TellsWhether(With(mine), With(there)));

    [Fact]
    public void Two_that_stand_on_the_same_commit_tell_that_one_of_them_was_not_stored()
    {
        var before = CommitId.New();
        Assert.True(PhpRecordFormat.TellsWhether(Of([CommitId.New(), before]), Of([CommitId.New(), before])));
        var mine = CommitId.New();
        Assert.True(PhpRecordFormat.TellsWhether(Of([mine, before]), Of([mine])));
    }

    private static SessionRecord With(int ids) => Of([.. Enumerable.Range(0, ids).Select(_ => CommitId.New())]);

    private static SessionRecord Of(CommitId[] ids) => new() { Version = new SessionVersion(1), CreatedAt = default, AbsoluteDeadline = default, CommitIds = [.. ids] };

    [Fact]
    public async Task Two_commits_of_one_request_stand_on_each_other()
    {
        await using var instance = Create();
        var id = await MakeAsync(instance.Manager());
        var session = await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken);
        for (var i = 0; i < 3; i++)
        {
            session["n"] = session.Get<int>("n") + 1;
            await session.CommitAsync(CancellationToken);
        }

        Assert.Equal(4, await instance.Manager().CountAsync(id, "n", CancellationToken));
    }

    [Fact]
    public async Task What_PHP_does_with_our_key_disturbs_nobody()
    {
        await using var instance = Create();
        var id = Shared.NewId();
        var file = Path.Combine(_folder, "sess_" + id.Value);
        foreach (var key in new[] { "i:5;", "a:0:{}", "a:1:{s:6:\"record\";s:4:\"AAAA\";}", $"a:1:{{s:6:\"record\";s:136:\"{new string('A', 136)}\";}}", "a:1:{s:6:\"cookie\";s:3:\"now\";}", "O:8:\"stdClass\":0:{}" })
        {
            await File.WriteAllTextAsync(file, $"_session|{key}n|i:1;", CancellationToken);
            await instance.Manager().IncrementAsync(id, "n", CancellationToken);
            Assert.Equal(2, await instance.Manager().CountAsync(id, "n", CancellationToken));
        }
    }

    [Fact]
    public async Task What_is_no_session_of_PHP_is_a_failure_that_quotes_nothing_and_stays_where_it_is()
    {
        await using var instance = Create();
        var id = Shared.NewId();
        var file = Path.Combine(_folder, "sess_" + id.Value);
        await File.WriteAllTextAsync(file, "secret=1", CancellationToken);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken));
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(id.Value, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal("secret=1", await File.ReadAllTextAsync(file, CancellationToken));
    }

    [Fact]
    public async Task Ids_of_PHP_come_out_nowhere_and_keys_print_their_hash()
    {
        await using var instance = Create();
        var id = await MakeAsync(instance.Manager());
        var key = SessionKey.From(id);
        var hash = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(id.Value)));
        Assert.Equal((hash, hash, "(session id)"), (key.Value, $"{key}", $"{id}"));
        Assert.True(key.TryGetId(out var same));
        Assert.Equal(id, same);
        Assert.False(SessionKey.From(SessionId.New()).TryGetId(out _));
    }

    private static async Task<SessionId> MakeAsync(SessionManager manager)
    {
        var session = manager.Create();
        session["n"] = 1;
        await session.CommitAsync(CancellationToken);
        return Instance.Parse(session.Id);
    }

    private ServiceProvider Create(Action<RedisSessionsOptions>? sessions = null) => Instance.Create(_ => { }, sessions, file: Configure);

    private void Configure(FileHandlerOptions options) => (options.Path, options.Layout, options.FlushToDisk) = (_folder, SessionLayout.Php, false);

    private sealed class NoProtector : ISessionPayloadProtector
    {
        public bool AcceptsUnprotected => true;

        public ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes) => bytes;

        public ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes) => bytes;
    }
}
