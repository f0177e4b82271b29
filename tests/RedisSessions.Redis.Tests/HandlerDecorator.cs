namespace RedisSessions.Redis.Tests;

/// <summary>A handler that does the work, with one thing about it changed: for planting bugs that a test must find.</summary>
internal abstract class HandlerDecorator(ISessionHandler inner) : ISessionHandler
{
    protected ISessionHandler Inner { get; } = inner;

    public virtual ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        Inner.ReadAsync(key, idleTimeout, cancellationToken);

    public virtual ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken) =>
        Inner.CommitAsync(key, expected, record, idleTimeout, cancellationToken);

    public virtual ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => Inner.DeleteAsync(key, cancellationToken);
}

/// <summary>Planted bug: a commit cannot be recognized in the record that it made.</summary>
internal sealed class ForgetsCommitIds(ISessionHandler inner) : HandlerDecorator(inner)
{
    public override ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var forgetful = new SessionRecord
        {
            Version = record.Version,
            State = record.State,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            CommitIds = [.. record.CommitIds.Select(_ => CommitId.New())],
            PayloadFormat = record.PayloadFormat,
            Payload = record.Payload,
        };
        return Inner.CommitAsync(key, expected, forgetful, idleTimeout, cancellationToken);
    }
}

/// <summary>Planted bug: the last writer wins, whatever version it started from.</summary>
internal sealed class IgnoresTheVersion(ISessionHandler inner) : HandlerDecorator(inner)
{
    public override async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var result = await Inner.CommitAsync(key, expected, record, idleTimeout, cancellationToken);
        for (var tries = 0; result is CommitResult.Conflict { Current: var current } && tries < 1000; tries++)
        {
            var over = new SessionRecord
            {
                Version = current.Version.Next(record.CommitIds[0]),
                State = record.State,
                CreatedAt = record.CreatedAt,
                AbsoluteDeadline = record.AbsoluteDeadline,
                CommitIds = record.CommitIds,
                PayloadFormat = record.PayloadFormat,
                Payload = record.Payload,
            };
            result = await Inner.CommitAsync(key, current.Version, over, idleTimeout, cancellationToken);
        }

        return result;
    }
}
