using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>One session in a file, used by PHP's own handler and by .NET.</summary>
public sealed class FileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("php-files-").FullName;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("php")]
    [InlineData("php_serialize")]
    public async Task A_thousand_increments_by_turns_are_a_thousand(string serializeHandler)
    {
        await using var php = StartPhp(serializeHandler);
        await using var instance = Create(serializeHandler);
        var (id, manager) = (Shared.NewId(), instance.Manager());
        await Shared.TakeTurnsAsync(php, manager, id, CancellationToken);
        Assert.True(File.Exists(Path.Combine(_folder, "sess_" + id.Value)));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task At_once_none_is_lost_because_PHP_locks_the_file()
    {
        var (id, phps) = (Shared.NewId(), new[] { StartPhp(), StartPhp() });
        await using var one = Create();
        await using var other = Create();
        var sum = await Shared.AllAtOnceAsync(phps, [one.Manager(), other.Manager()], id, 125, CancellationToken);
        Assert.Equal(500, sum.Count);
    }

    [Fact]
    public async Task A_request_waits_for_a_request_of_PHP_that_has_the_session()
    {
        await using var php = StartPhp();
        await using var instance = Create();
        var id = Shared.NewId();
        await php.RunAsync($"session_id('{id.Value}'); session_start(); $_SESSION['count'] = 1;", CancellationToken);
        var loading = instance.Manager().LoadAsync(id, cancellationToken: CancellationToken).AsTask();
        await php.RunAsync("usleep(50000); $_SESSION['count'] = 2;", CancellationToken);
        Assert.False(loading.IsCompleted);
        await php.RunAsync("session_write_close();", CancellationToken);
        Assert.Equal(2, (await loading).Get<long>("count"));
    }

    [Fact]
    public async Task A_request_of_PHP_that_does_not_end_is_a_failure_of_the_store_in_time()
    {
        await using var php = StartPhp();
        await using var instance = Create(configure: options => options.LockTimeout = TimeSpan.FromMilliseconds(200));
        var id = Shared.NewId();
        await php.RunAsync($"session_id('{id.Value}'); session_start();", CancellationToken);
        var failure = await Assert.ThrowsAsync<SessionStoreException>(async () => await instance.Manager().LoadAsync(id, cancellationToken: CancellationToken));
        Assert.Contains("Sessions:File:LockTimeout", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_PHP_destroys_while_it_is_waited_for_is_none()
    {
        await using var php = StartPhp();
        await using var instance = Create();
        var id = Shared.NewId();
        await php.RunAsync($"session_id('{id.Value}'); session_start(); $_SESSION['count'] = 1; session_write_close(); session_start();", CancellationToken);
        var loading = instance.Manager().LoadAsync(id, cancellationToken: CancellationToken).AsTask();
        await php.RunAsync("session_destroy();", CancellationToken);
        Assert.True((await loading).IsNew);
    }

    [Fact]
    public Task What_either_side_does_the_other_sees() => Shared.WalkAsync(() => StartPhp(), () => Create(), CancellationToken);

    [Fact]
    public async Task Files_of_Laravel_are_named_by_the_id_alone()
    {
        await using var instance = Instance.Create(
            _ => { }, file: options => (options.Path, options.Layout, options.FlushToDisk) = (_folder, SessionLayout.Laravel, false));
        await using var php = StartPhp();
        var id = Shared.NewId(SessionIdFormat.Laravel);
        var file = Path.Combine(_folder, id.Value);
        await php.RunAsync($"file_put_contents('{file}', serialize(['_token' => 'x', 'count' => 1, '_flash' => ['old' => [], 'new' => []]]), LOCK_EX);", CancellationToken);
        await instance.Manager().IncrementAsync(id, "count", CancellationToken);
        Assert.Equal(2, await php.NumberAsync($"return unserialize(file_get_contents('{file}'))['count'];", CancellationToken));
        Assert.Equal("x", await php.TextAsync($"return unserialize(file_get_contents('{file}'))['_token'];", CancellationToken));
    }

    private PhpProcess StartPhp(string serializeHandler = "php")
    {
        Assert.SkipWhen(PhpProcess.Program is null, PhpProcess.None);
        return PhpProcess.Start("session.save_handler=files", $"session.save_path={_folder}", $"session.serialize_handler={serializeHandler}");
    }

    private ServiceProvider Create(string serializeHandler = "php", Action<FileHandlerOptions>? configure = null) => Instance.Create(_ => { }, file: options =>
    {
        (options.Path, options.Layout, options.FlushToDisk) = (_folder, SessionLayout.Php, false);
        if (serializeHandler == "php_serialize")
            options.PhpFormat = PhpSessionFormat.PhpSerialize;
        configure?.Invoke(options);
    });
}
