using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using RedisSessions.FileStore;

namespace RedisSessions.Tests.FileStore;

/// <summary>What the file handler does on the disk, beyond the contract.</summary>
public sealed class FileStoreTests : IDisposable
{
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);
    private readonly string _directory = Path.Combine(Directory.CreateTempSubdirectory("sessions-").FullName, "app", "sessions");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SessionKey _key = SessionKey.From(SessionId.New());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.Combine(_directory, "../.."), recursive: true);

    [Fact]
    public async Task The_directory_and_its_files_are_for_this_user_alone()
    {
        await CommitAsync(Handler(), 0, 1);
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no Unix permissions.");
            return;
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory));
        Assert.Equal(2, Files().Length);
        foreach (var file in Files())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_directory, file)));
    }

    [Fact]
    public async Task A_session_is_one_file_and_a_lock_file_and_nothing_else_is_left()
    {
        var handler = Handler(flushToDisk: true);
        for (ulong version = 0; version < 5; version++)
            await CommitAsync(handler, version, version + 1);
        Assert.Equal([_key.Value, _key.Value + ".lock"], Files());
        Assert.Equal(5UL, RecordFormat.Read(await File.ReadAllBytesAsync(Path.Combine(_directory, _key.Value), Token)).Version.Count);
    }

    [Fact]
    public async Task Reading_slides_the_deadline_once_in_a_tenth_of_the_idle_time()
    {
        var handler = Handler();
        await CommitAsync(handler, 0, 1);
        var written = Deadline();
        _time.Advance(Idle / 20);
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
        Assert.Equal(written, Deadline());
        _time.Advance(Idle / 10);
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
        Assert.Equal(_time.GetUtcNow().UtcDateTime + Idle, Deadline(), TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public async Task Reading_never_slides_past_the_absolute_deadline_and_not_for_a_closed_record()
    {
        var handler = Handler();
        await CommitAsync(handler, 0, 1, lifetime: TimeSpan.FromMinutes(25));
        _time.Advance(TimeSpan.FromMinutes(15));
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
        Assert.Equal(_time.GetUtcNow().UtcDateTime + TimeSpan.FromMinutes(10), Deadline(), TimeSpan.FromMilliseconds(2));

        await CommitAsync(handler, 1, 2, TimeSpan.FromMinutes(2), SessionState.Ended);
        var closed = Deadline();
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
        Assert.Equal(closed, Deadline());
    }

    [Fact]
    public async Task Collecting_removes_what_has_expired_and_nothing_else()
    {
        var handler = Handler();
        var expired = SessionKey.From(SessionId.New());
        await CommitAsync(handler, 0, 1, key: expired);
        _time.Advance(Idle + TimeSpan.FromSeconds(1));
        await CommitAsync(handler, 0, 1);
        await File.WriteAllTextAsync(Path.Combine(_directory, ".gitkeep"), "", Token);

        Assert.Equal(1, await handler.CollectAsync(Token));
        Assert.Equal(new[] { ".gitkeep", _key.Value, _key.Value + ".lock", "collect.lock" }.Order(StringComparer.Ordinal), Files());
        Assert.Equal(0, await handler.CollectAsync(Token));
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
    }

    [Fact]
    public async Task Collecting_removes_what_a_crash_has_left_when_nobody_can_be_writing_it_any_more()
    {
        var handler = Handler();
        await CommitAsync(handler, 0, 1);
        var leftover = Path.Combine(_directory, $"{_key.Value}.{Guid.NewGuid():N}.tmp");
        await File.WriteAllTextAsync(leftover, "half a rec", Token);
        await handler.CollectAsync(Token);
        Assert.True(File.Exists(leftover));
        _time.Advance(TimeSpan.FromMinutes(11));
        await handler.CollectAsync(Token);
        Assert.False(File.Exists(leftover));
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
    }

    [Fact]
    public async Task A_session_that_was_deleted_leaves_nothing_behind_once_collected()
    {
        var handler = Handler();
        await CommitAsync(handler, 0, 1);
        Assert.True(await handler.DeleteAsync(_key, Token));
        Assert.Equal([_key.Value + ".lock"], Files());
        await handler.CollectAsync(Token);
        Assert.Equal(["collect.lock"], Files());
        // Nor does deleting what is not there.
        Assert.False(await handler.DeleteAsync(_key, Token));
        Assert.Equal(["collect.lock"], Files());
    }

    [Fact]
    public async Task A_lock_file_that_is_removed_after_somebody_has_opened_it_is_no_lock_any_more()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Windows removes no file that somebody has opened.");
        Directory.CreateDirectory(_directory);
        var path = Path.Combine(_directory, _key.Value + ".lock");
        var link = path + ".same";
        using (var mine = FileLock.TryAcquire(path)!)
        {
            // A second name for the same file stands for the descriptor of somebody who opened it a moment ago.
            Assert.Equal(0, Run("ln", path, link));
            FileLock.Remove(mine, path);
        }

        Assert.Null(FileLock.TryAcquire(link));
        await using var another = FileLock.TryAcquire(path);
        Assert.NotNull(another);
    }

    [Fact]
    public async Task Only_one_process_collects_at_a_time()
    {
        var handler = Handler();
        await CommitAsync(handler, 0, 1);
        _time.Advance(Idle * 2);
        await using (new FileStream(Path.Combine(_directory, "collect.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal(0, await handler.CollectAsync(Token));
        Assert.Equal(1, await handler.CollectAsync(Token));
    }

    [Fact]
    public async Task A_lock_that_another_process_holds_is_waited_for_and_not_for_ever()
    {
        // The real clock: the other process does not go by ours.
        var handler = FileFixture.Create(_directory);
        await CommitAsync(handler, 0, 1);
        var held = new FileStream(Path.Combine(_directory, _key.Value + ".lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var commit = CommitAsync(handler, 1, 2);
        Assert.NotNull(await handler.ReadAsync(_key, Idle, Token));
        Assert.False(commit.IsCompleted);
        await held.DisposeAsync();
        Assert.IsType<CommitResult.Committed>(await commit);
    }

    [Fact]
    public async Task A_full_disk_refuses_the_commit_and_leaves_the_session_as_it_was()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            Assert.Skip("mounting a small file system needs root on Linux.");
        var mount = Directory.CreateTempSubdirectory("full-").FullName;
        if (Run("mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", mount) != 0)
            Assert.Skip("this machine does not let root mount a tmpfs.");
        try
        {
            var handler = FileFixture.Create(Path.Combine(mount, "sessions"), flushToDisk: true);
            await CommitAsync(handler, 0, 1, payload: 1000);
            var failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(handler, 1, 2, payload: 400_000));
            Assert.Contains("disk full", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(_key.Value, failure.Message, StringComparison.Ordinal);
            Assert.Equal(1UL, (await handler.ReadAsync(_key, Idle, Token))!.Version.Count);
            Assert.DoesNotContain(Directory.GetFiles(Path.Combine(mount, "sessions")), file => file.EndsWith(".tmp", StringComparison.Ordinal));
            Assert.IsType<CommitResult.Committed>(await CommitAsync(handler, 1, 2, payload: 2000));
        }
        finally
        {
            Run("umount", mount);
            Directory.Delete(mount);
        }
    }

    [Fact]
    public async Task A_directory_that_cannot_be_used_is_a_store_failure_that_says_what_to_do()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory)!);
        await File.WriteAllTextAsync(_directory, "a file where the directory should be", Token);
        var handler = Handler();
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await handler.ReadAsync(_key, Idle, Token));
        Assert.Contains("Sessions:File:Path", failure.Message, StringComparison.Ordinal);
        File.Delete(_directory);
        Assert.IsType<CommitResult.Committed>(await CommitAsync(handler, 0, 1));

        Directory.Delete(_directory, recursive: true);
        failure = await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(handler, 1, 2));
        Assert.Contains("is not there any more", failure.Message, StringComparison.Ordinal);
    }

    private FileSessionHandler Handler(bool flushToDisk = false) => FileFixture.Create(_directory, _time, flushToDisk);

    private string[] Files() => [.. Directory.GetFiles(_directory).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private DateTime Deadline() => File.GetLastWriteTimeUtc(Path.Combine(_directory, _key.Value));

    private async Task<CommitResult> CommitAsync(
        FileSessionHandler handler, ulong expected, ulong version, TimeSpan? lifetime = null, SessionState state = SessionState.Live, SessionKey? key = null, int payload = 1)
    {
        var record = new SessionRecord
        {
            Version = new SessionVersion(version),
            State = state,
            CreatedAt = _time.GetUtcNow(),
            AbsoluteDeadline = _time.GetUtcNow() + (lifetime ?? TimeSpan.FromHours(12)),
            CommitIds = [CommitId.New()],
            PayloadFormat = PayloadFormat.MessagePack,
            Payload = new byte[payload],
        };
        return await handler.CommitAsync(key ?? _key, new SessionVersion(expected), record, Idle, Token);
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
