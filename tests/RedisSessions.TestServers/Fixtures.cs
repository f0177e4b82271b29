using Xunit;

namespace RedisSessions.TestServers;

/// <summary>One Redis for a whole test assembly: <c>[assembly: AssemblyFixture(typeof(RedisServerFixture))]</c>.</summary>
public sealed class RedisServerFixture : IAsyncLifetime
{
    private RedisServer? _server;

    /// <summary>The server; a test that asks for it where there is none is skipped, and says that it is Redis that is missing.</summary>
    public RedisServer Server
    {
        get
        {
            if (_server is null)
                Assert.Skip(RedisServer.None);
            return _server;
        }
    }

    /// <summary>A Redis if there is one, else null.</summary>
    public RedisServer? ServerOrNull => _server;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisServer.TryStartAsync(TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(_server is null ? $"SKIPPED ENGINE: {RedisServer.None}" : $"Redis: {_server.Origin}");
        if (_server is null)
            await Console.Error.WriteLineAsync($"SKIPPED ENGINE: {RedisServer.None}");
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One embedded Garnet, with Lua transactions, for a whole test assembly.</summary>
public sealed class GarnetFixture : IAsyncLifetime
{
    private EmbeddedGarnet? _server;

    public EmbeddedGarnet Server => _server ?? throw new InvalidOperationException("The fixture has not been initialized.");

    public ValueTask InitializeAsync()
    {
        _server = EmbeddedGarnet.Start();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One PostgreSQL for a whole test assembly.</summary>
public sealed class PostgresServerFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    /// <summary>The server; a test that asks for it where there is none is skipped, and says what is missing.</summary>
    public PostgresServer Server
    {
        get
        {
            if (_server is null)
                Assert.Skip(PostgresServer.None);
            return _server;
        }
    }

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.TryStartAsync(TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(_server is null ? $"SKIPPED ENGINE: {PostgresServer.None}" : $"PostgreSQL: {_server.Origin}");
        if (_server is null)
            await Console.Error.WriteLineAsync($"SKIPPED ENGINE: {PostgresServer.None}");
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One MariaDB or MySQL for a whole test assembly.</summary>
public sealed class MariaDbServerFixture : IAsyncLifetime
{
    private MariaDbServer? _server;

    /// <summary>The server; a test that asks for it where there is none is skipped, and says what is missing.</summary>
    public MariaDbServer Server
    {
        get
        {
            if (_server is null)
                Assert.Skip(MariaDbServer.None);
            return _server;
        }
    }

    public async ValueTask InitializeAsync()
    {
        _server = await MariaDbServer.TryStartAsync(TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(_server is null ? $"SKIPPED ENGINE: {MariaDbServer.None}" : $"MariaDB: {_server.Origin}");
        if (_server is null)
            await Console.Error.WriteLineAsync($"SKIPPED ENGINE: {MariaDbServer.None}");
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
