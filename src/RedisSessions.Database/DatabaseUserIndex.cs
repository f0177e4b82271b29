namespace RedisSessions.Database;

/// <summary>The sessions of a user: those that have the user in their column, which is written with each commit and so is never behind.</summary>
internal sealed class DatabaseUserIndex(DatabaseStore store)
{
    public ValueTask<IReadOnlyList<IndexedSession>> FindAsync(string userId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(userId);
        return store.RunAsync("find", (Store: store, User: SessionRow.User(userId)), static async (state, cancellationToken) =>
        {
            var connection = await state.Store.Database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            var command = state.Store.Database.Command(
                connection, state.Store.Statements.Find, [("@user_id", state.User), ("@now", SessionRow.Milliseconds(state.Store.Now))]);
            await using var __ = command.ConfigureAwait(false);
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var ___ = reader.ConfigureAwait(false);
            List<IndexedSession> found = [];
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                // Whatever else stands in the table under a name that is no key, no session can be reached by it.
                if (SessionKey.TryParse(reader.GetString(0), out var key))
                    found.Add(new IndexedSession(key, SessionRow.Record(reader.GetString(1)), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2))));
            }

            return (IReadOnlyList<IndexedSession>)found;
        }, cancellationToken);
    }
}
