using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Two instances over one directory.</summary>
public sealed class FileFarmTests(FileFarmTests.FileFarm farm) : FarmTests(farm), IClassFixture<FileFarmTests.FileFarm>
{
    public sealed class FileFarm : Farm
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("sessions-").FullName;

        private readonly HashSet<string> _damaged = [];

        public override string[] Settings => ["--Sessions:Handler=file", $"--Sessions:File:Path={_directory}"];

        public override async Task<byte[]?> BytesAsync(SessionKey key) =>
            File.Exists(PathOf(key)) ? await File.ReadAllBytesAsync(PathOf(key), TestContext.Current.CancellationToken) : null;

        public override async Task PlantAsync(SessionKey key, byte[] bytes)
        {
            _damaged.Add(PathOf(key));
            // The modification time is the idle deadline.
            var idleDeadline = File.GetLastWriteTimeUtc(PathOf(key));
            await File.WriteAllBytesAsync(PathOf(key), bytes, TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(PathOf(key), idleDeadline);
        }

        public override async Task CheckAfterKillsAsync()
        {
            foreach (var path in Directory.EnumerateFiles(_directory).Where(path => !_damaged.Contains(path)))
            {
                if (!Path.HasExtension(path))
                    Assert.NotNull(RecordFormat.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)));
                else
                    Assert.Contains(Path.GetExtension(path), new[] { ".lock", ".tmp" });
            }

            // What the kills have left half written goes when nobody can be writing it any more.
            var half = Path.Combine(_directory, $"{SessionKey.From(SessionId.New())}.{Guid.NewGuid():N}.tmp");
            await File.WriteAllTextAsync(half, "half a rec", TestContext.Current.CancellationToken);
            await using var later = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
                .AddSingleton<TimeProvider>(new Later(TimeSpan.FromMinutes(15))).AddLogging()
                .AddRedisSessionsCore().Services.Configure<FileHandlerOptions>(options => options.Path = _directory).BuildServiceProvider();
            await ((IExpiredSessions)later.GetRequiredService<ISessionHandler>()).CollectAsync(TestContext.Current.CancellationToken);
            Assert.Empty(Directory.EnumerateFiles(_directory, "*.tmp"));
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            Directory.Delete(_directory, recursive: true);
        }

        private string PathOf(SessionKey key) => Path.Combine(_directory, key.Value);
    }

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
