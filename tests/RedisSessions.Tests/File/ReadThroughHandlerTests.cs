using RedisSessions.Conformance;

namespace RedisSessions.Tests.FileStore;

/// <summary>The whole contract, while moving from one directory to another.</summary>
public sealed class ReadThroughHandlerTests(ReadThroughFixture fixture) : SessionHandlerTests(fixture), IClassFixture<ReadThroughFixture>;

/// <summary>A new store in front of an old one.</summary>
public sealed class ReadThroughFixture : HandlerFixture
{
    private readonly FileFixture _new = new(), _old = new();

    public override string HandlerName => "file";

    public override ValueTask<ISessionHandler> CreateHandlerAsync() =>
        new(ReadThroughHandler.Create(FileFixture.Create(_new.Directory), FileFixture.Create(_old.Directory)));

    public override ValueTask PlantAsync(SessionKey key, byte[] bytes) => _new.PlantAsync(key, bytes);

    public override ValueTask<byte[]?> BytesAsync(SessionKey key) => _new.BytesAsync(key);

    public override async ValueTask DisposeAsync()
    {
        await _new.DisposeAsync();
        await _old.DisposeAsync();
        await base.DisposeAsync();
    }
}
