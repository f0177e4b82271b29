using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>What one try has to work with.</summary>
internal readonly struct RedisTry(IDatabase database, bool mayBeApplied, CancellationToken cancellationToken, bool withText = false)
{
    /// <summary>Where to send it.</summary>
    public IDatabase Database { get; } = database;

    /// <summary>Whether an earlier try may have arrived.</summary>
    public bool MayBeApplied { get; } = mayBeApplied;

    /// <summary>Whether the server has said that it does not know the script by its digest.</summary>
    public bool WithText { get; } = withText;

    /// <summary>Ends when nobody waits for this try any more: nothing new is to be begun.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>The same again, with the text of the script.</summary>
    public RedisTry AgainWithText() => new(Database, MayBeApplied, CancellationToken, withText: true);
}
