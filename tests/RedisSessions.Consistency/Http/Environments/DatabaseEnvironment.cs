using System.Data.Common;
using System.Globalization;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>PostgreSQL or MariaDB, and a proxy in front of it for each process.</summary>
internal sealed class DatabaseEnvironment : HttpEnvironment
{
    private readonly DatabaseServer _server;
    private readonly string _provider;
    private readonly FaultProxy[] _proxies;

    // A server from the environment may be shared.
    private readonly string _table = $"consistency_{Guid.NewGuid().ToString("N")[..8]}";

    public DatabaseEnvironment(DatabaseServer server, string provider, int processes)
    {
        (_server, _provider) = (server, provider);
        var connection = Parse(server.ConnectionString);
        var target = string.Create(CultureInfo.InvariantCulture, $"{connection["Host"]}:{connection["Port"]}");
        _proxies = [.. Enumerable.Range(0, processes).Select(_ => FaultProxy.StartPlain(target))];
    }

    public override IReadOnlyList<FaultProxy> Proxies => _proxies;

    public override IReadOnlyList<HttpFault> Faults =>
        _server.Process is { } process ? [new StopStore(process.FreezeAsync, process.ThawAsync)] : [];

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        await base.HealAsync(cancellationToken);
        if (_server.Process is { } process)
            await process.ThawAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        await _server.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process)
    {
        var connection = Parse(_server.ConnectionString);
        connection["Host"] = "127.0.0.1";
        connection["Port"] = _proxies[process].Port;
        return [.. ForDatabase(_provider, connection.ConnectionString), $"--Sessions:Database:Table={_table}"];
    }

    /// <summary>Arguments for sessions in a database.</summary>
    public static IReadOnlyList<string> ForDatabase(string provider, string connectionString) =>
    [
        "--Sessions:Handler=database", $"--Sessions:Database:Provider={provider}",
        $"--Sessions:Database:ConnectionString={connectionString}", "--Sessions:Database:CommandTimeout=00:00:02",
    ];

    private static DbConnectionStringBuilder Parse(string connectionString)
    {
        var parsed = new DbConnectionStringBuilder { ConnectionString = connectionString };
        if (!parsed.ContainsKey("Host") && parsed.TryGetValue("Server", out var host))
        {
            parsed.Remove("Server");
            parsed["Host"] = host;
        }

        if (!parsed.ContainsKey("Port"))
            throw new InvalidOperationException("The connection string of the database server names no port.");
        return parsed;
    }
}
