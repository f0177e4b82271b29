namespace RedisSessions;

/// <summary>A handler whose store does not expire by itself implements this too; a background service calls it now and then.</summary>
public interface IExpiredSessions
{
    /// <summary>
    /// Removes records whose idle deadline has passed, in steps that keep nobody waiting. If another process is at it, nothing happens.
    /// </summary>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>How many records were removed.</returns>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    ValueTask<int> CollectAsync(CancellationToken cancellationToken);
}
