using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Time.Testing;

namespace RedisSessions.Tests.FileStore;

/// <summary>What leases and the index of users leave on the disk, and who takes it away.</summary>
public sealed class FileCapabilityTests : IDisposable
{
    private const string User = "../ann";
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);
    private readonly string _directory = Directory.CreateTempSubdirectory("sessions-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SessionKey _key = SessionKey.From(SessionId.New());
    private readonly FileSessionHandler _handler;

    public FileCapabilityTests() => _handler = FileFixture.Create(_directory, _time, flushToDisk: true);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string UserFolder => Path.Combine(_directory, "users", Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(User))));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_lease_is_a_file_with_its_owner_that_says_until_when()
    {
        var lease = new SessionLease("owner0123", TimeSpan.FromSeconds(30));
        Assert.Null(await _handler.TryAcquireAsync(_key, lease, Token));
        Assert.Equal(lease.Owner, await File.ReadAllTextAsync(LeasePath(_key), Token));
        Assert.Equal(_time.GetUtcNow().UtcDateTime + lease.Duration, File.GetLastWriteTimeUtc(LeasePath(_key)), TimeSpan.FromMilliseconds(1));
        Assert.Equal(30, (await _handler.TryAcquireAsync(_key, new SessionLease("other", lease.Duration), Token))!.Value.TotalSeconds, 0.01);
        AssertOwnerOnly(LeasePath(_key));
        await _handler.ReleaseAsync(_key, lease, Token);
        Assert.False(File.Exists(LeasePath(_key)));
    }

    [Fact]
    public async Task The_time_of_a_lease_is_up_to_the_moment()
    {
        var (lease, other) = (new SessionLease("owner0123", TimeSpan.FromSeconds(30)), new SessionLease("other", TimeSpan.FromSeconds(30)));
        Assert.Null(await _handler.TryAcquireAsync(_key, lease, Token));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(await _handler.RenewAsync(_key, lease, Token));
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.NotNull(await _handler.TryAcquireAsync(_key, other, Token));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await _handler.TryAcquireAsync(_key, other, Token));
        Assert.False(await _handler.RenewAsync(_key, lease, Token));
    }

    [Fact]
    public async Task Leases_that_nobody_gave_back_are_collected_and_others_stay_with_their_locks()
    {
        var lasting = SessionKey.From(SessionId.New());
        await CommitAsync(lasting);
        Assert.Null(await _handler.TryAcquireAsync(_key, new SessionLease("ends", TimeSpan.FromSeconds(30)), Token));
        _time.Advance(Idle);
        Assert.Null(await _handler.TryAcquireAsync(lasting, new SessionLease("lasts", TimeSpan.FromSeconds(30)), Token));

        Assert.Equal(1, await _handler.CollectAsync(Token));

        Assert.Equal(new[] { "collect.lock", lasting.Value + ".lease", lasting.Value + ".lock" }.Order(StringComparer.Ordinal), Names());
        Assert.NotNull(await _handler.TryAcquireAsync(lasting, new SessionLease("other", TimeSpan.FromSeconds(30)), Token));
    }

    [Fact]
    public async Task Locks_of_sessions_that_are_no_more_are_collected()
    {
        var lease = new SessionLease("owner0123", TimeSpan.FromSeconds(30));
        await _handler.TryAcquireAsync(_key, lease, Token);
        await _handler.ReleaseAsync(_key, lease, Token);
        var deleted = SessionKey.From(SessionId.New());
        await CommitAsync(deleted);
        await _handler.DeleteAsync(deleted, Token);
        Assert.Equal(2, Names().Length);
        await _handler.CollectAsync(Token);
        Assert.Equal(["collect.lock"], Names());
    }

    [Fact]
    public async Task A_mark_is_an_empty_file_for_this_user_alone_under_a_hash()
    {
        await CommitAsync(_key);
        var mark = Assert.Single(Directory.GetFiles(_directory, "*", SearchOption.AllDirectories), path => path.Contains("users", StringComparison.Ordinal));
        Assert.Equal(Path.Combine(UserFolder, _key.Value), mark);
        Assert.Equal(0, new FileInfo(mark).Length);
        AssertOwnerOnly(mark);
        if (!OperatingSystem.IsWindows())
        {
            foreach (var folder in new[] { UserFolder, Path.GetDirectoryName(UserFolder)! })
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }
    }

    [Fact]
    public async Task Looking_takes_the_marks_of_sessions_that_are_gone_away_but_not_while_somebody_may_be_signing_in()
    {
        var stays = SessionKey.From(SessionId.New());
        await CommitAsync(stays);
        await CommitAsync(_key);
        await _handler.DeleteAsync(_key, Token);
        // Its record may be on its way: a sign-in leaves the mark first.
        Assert.Equal([stays], await FoundAsync());
        Assert.True(File.Exists(Path.Combine(UserFolder, _key.Value)));
        _time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal([stays], await FoundAsync());
        Assert.Equal([stays.Value], Directory.GetFiles(UserFolder).Select(path => Path.GetFileName(path)));
    }

    [Fact]
    public async Task The_collector_takes_marks_and_empty_folders_away()
    {
        await CommitAsync(_key);
        Directory.CreateDirectory(Path.Combine(_directory, "users", "empty"));
        await _handler.CollectAsync(Token);
        Assert.Equal([UserFolder], Directory.GetDirectories(Path.Combine(_directory, "users")));
        _time.Advance(Idle + TimeSpan.FromSeconds(1));
        Assert.Equal(1, await _handler.CollectAsync(Token));
        Assert.False(Directory.Exists(UserFolder));
        Assert.Empty(await FoundAsync());
        await CommitAsync(SessionKey.From(SessionId.New()));
        Assert.Single(await FoundAsync());
    }

    [Fact]
    public async Task Without_its_mark_nothing_is_committed()
    {
        // A file where the folders of users should be.
        await File.WriteAllTextAsync(Path.Combine(_directory, "users"), "", Token);
        await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(_key));
        Assert.Null(await _handler.ReadAsync(_key, Idle, Token));
    }

    private async Task CommitAsync(SessionKey key) => Assert.IsType<CommitResult.Committed>(await _handler.CommitAsync(key, SessionVersion.None, new SessionRecord
    {
        Version = new SessionVersion(1),
        CreatedAt = _time.GetUtcNow(),
        AbsoluteDeadline = _time.GetUtcNow() + TimeSpan.FromHours(12),
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = new byte[] { 0x80 },
        UserId = User,
        IndexUser = true,
    }, Idle, Token));

    private async Task<SessionKey[]> FoundAsync() => [.. (await _handler.FindAsync(User, Token)).Select(found => found.Key)];

    private string LeasePath(SessionKey key) => Path.Combine(_directory, key.Value + ".lease");

    private string[] Names() => [.. Directory.GetFiles(_directory).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static void AssertOwnerOnly(string path)
    {
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }
}
