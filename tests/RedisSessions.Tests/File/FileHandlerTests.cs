using Microsoft.Extensions.Options;
using RedisSessions.Conformance;

namespace RedisSessions.Tests.FileStore;

/// <summary>The whole contract, on files.</summary>
public sealed class FileHandlerTests(FileFixture fixture) : SessionHandlerTests(fixture), IClassFixture<FileFixture>;

/// <summary>Handlers over one directory of their own; each opens every file anew, so several of them are as good as several processes.</summary>
public sealed class FileFixture : HandlerFixture
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("sessions-").FullName;

    public override string HandlerName => "file";

    public override ValueTask<ISessionHandler> CreateHandlerAsync() => new(Create(Directory));

    // Durability is not what the contract is about, and a thousand flushes are slow.
    internal static FileSessionHandler Create(string directory, TimeProvider? time = null, bool flushToDisk = false) =>
        new(Options.Create(new FileHandlerOptions { Path = directory, FlushToDisk = flushToDisk }), Options.Create(new RedisSessionsOptions()), time ?? TimeProvider.System);

    public override ValueTask PlantAsync(SessionKey key, byte[] bytes)
    {
        var path = Path.Combine(Directory, key.Value);
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(5));
        return ValueTask.CompletedTask;
    }

    public override ValueTask<byte[]?> BytesAsync(SessionKey key)
    {
        var path = Path.Combine(Directory, key.Value);
        return new(File.Exists(path) ? File.ReadAllBytes(path) : null);
    }

    public override ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return base.DisposeAsync();
    }
}
