using System.Data.Common;

namespace RedisSessions.Database;

/// <summary>One run of collecting: batch after batch, with pauses as long as the batches, so that everybody else gets half of the database at least.</summary>
internal sealed class ExpiredRows(SessionDatabase database, TimeProvider time, int batch)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);
    private int _collected;

    /// <returns>How many records were deleted, in the tries before this one too.</returns>
    public async ValueTask<int> CollectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        if (database.Statements.LockCollection is { } tryLock && await ScalarAsync(connection, tryLock).ConfigureAwait(false) is false or 0 or 0L)
            return _collected;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var started = time.GetTimestamp();
                var deleted = await DeleteAsync(connection, cancellationToken).ConfigureAwait(false);
                _collected += deleted;
                if (deleted < batch)
                    break;
                var pause = time.GetElapsedTime(started);
                await Task.Delay(pause < LongestPause ? pause : LongestPause, time, cancellationToken).ConfigureAwait(false);
            }

            await DeleteLeasesAsync(connection, cancellationToken).ConfigureAwait(false);
            return _collected;
        }
        finally
        {
            if (database.Statements.UnlockCollection is { } unlock && connection.State == System.Data.ConnectionState.Open)
                await ScalarAsync(connection, unlock).ConfigureAwait(false);
        }
    }

    private async ValueTask<int> DeleteAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        using var turn = await database.EnterAsync(cancellationToken).ConfigureAwait(false);
        return await database.ExecuteAsync(connection, database.Statements.Collect,
            [("@now", time.GetUtcNow().ToUnixTimeMilliseconds()), ("@batch", (long)batch)], CancellationToken.None).ConfigureAwait(false);
    }

    private async ValueTask DeleteLeasesAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        using var turn = await database.EnterAsync(cancellationToken).ConfigureAwait(false);
        await database.ExecuteAsync(
            connection, database.Statements.CollectLeases, [("@now", time.GetUtcNow().ToUnixTimeMilliseconds())], CancellationToken.None).ConfigureAwait(false);
    }

    private async ValueTask<object?> ScalarAsync(DbConnection connection, string text)
    {
        var command = database.Command(connection, text, []);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false);
    }
}
