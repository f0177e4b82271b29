using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Transactions;
using Microsoft.Extensions.Options;

namespace RedisSessions.Database;

/// <summary>What the application gave: how its database speaks, and where its connections come from. It stays the owner.</summary>
internal sealed record DatabaseSource(SqlDialect Dialect, DbDataSource DataSource);

/// <summary>Connections, and commands on them. All in autocommit: each statement is atomic by itself, and none needs another.</summary>
internal sealed class SessionDatabase
{
    private readonly DbDataSource _dataSource;
    private readonly string? _open;
    private readonly SemaphoreSlim? _writer;

    public SessionDatabase(DatabaseSource source, IOptions<DatabaseHandlerOptions> options)
    {
        var settings = options.Value;
        _dataSource = source.DataSource;
        Dialect = source.Dialect;
        Statements = new SqlStatements(source.Dialect, settings.Table);
        Table = settings.Table;
        CommandTimeout = (int)Math.Ceiling(settings.CommandTimeout.TotalSeconds);
        _writer = source.Dialect.OneWriter ? new SemaphoreSlim(1, 1) : null;
        _open = Statements.Open?.Replace("{timeout}", (CommandTimeout * 1000).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    public SqlDialect Dialect { get; }

    public SqlStatements Statements { get; }

    public string Table { get; }

    /// <summary>In seconds, as commands take it.</summary>
    public int CommandTimeout { get; }

    /// <summary>The place at the head of the line of this process where a database has one writer at a time; elsewhere nothing to wait for.</summary>
    public async ValueTask<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        if (_writer is not null)
            await _writer.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_writer);
    }

    /// <summary>
    /// A connection outside of any transaction of the application. Drivers join the one that is around where a connection is opened: what was acknowledged
    /// to a browser would be taken back with the application's own work, and a second connection makes some transactions fail.
    /// </summary>
    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellationToken)
    {
        using var outside = Transaction.Current is null
            ? null
            : new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        var connection = await _dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        if (_open is null)
            return connection;
        try
        {
            await ExecuteAsync(connection, _open, [], cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public DbCommand Command(DbConnection connection, string text, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        command.CommandTimeout = CommandTimeout;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.DbType = value is long ? DbType.Int64 : DbType.String;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        return command;
    }

    /// <returns>How many rows were changed.</returns>
    public async ValueTask<int> ExecuteAsync(
        DbConnection connection, string text, (string Name, object? Value)[] parameters, CancellationToken cancellationToken)
    {
        var command = Command(connection, text, parameters);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// What a statement that compares and changes has to say: whether it was done, and what is there instead. Not cancelled: once sent, it happens whether anybody
    /// waits for it or not, so its answer is waited for.
    /// </summary>
    public async ValueTask<(bool Done, object? There)> AskAsync(DbConnection connection, string text, (string Name, object? Value)[] parameters)
    {
        var command = Command(connection, text, parameters);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        (bool Done, object? There) answer = default;
        do
        {
            while (reader.FieldCount > 0 && await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                answer = (Convert.ToInt64(reader.GetValue(0), CultureInfo.InvariantCulture) > 0, reader.GetValue(1) is var there and not DBNull ? there : null);
        }
        while (await reader.NextResultAsync(CancellationToken.None).ConfigureAwait(false));
        return answer;
    }

    /// <summary>Ends when disposed.</summary>
    public readonly struct Turn(SemaphoreSlim? writer) : IDisposable
    {
        public void Dispose() => writer?.Release();
    }
}
