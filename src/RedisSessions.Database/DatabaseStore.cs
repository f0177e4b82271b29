using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly;

namespace RedisSessions.Database;

/// <summary>The way that everything goes: to tables that are as this version needs them, with the retries, and with one exception for what can go wrong.</summary>
internal sealed class DatabaseStore(
    SessionDatabase database, DatabaseMigrations migrations, IOptions<DatabaseHandlerOptions> options, TimeProvider time, ILogger<DatabaseSessionHandler> logger)
{
    // An answer that contradicts itself is of a moment ago; it is asked for again. Once is enough, but for a row that others never stop changing.
    public const int Asks = 10;

    private readonly ResiliencePipeline _retry = StoreRetry.Create(database.Dialect, options.Value.Tries, time, logger);

    public SessionDatabase Database => database;

    public SqlStatements Statements => database.Statements;

    /// <summary>Time is this instance's clock, in every statement.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    public async ValueTask<TResult> RunAsync<TState, TResult>(
        string verb, TState state, Func<TState, CancellationToken, ValueTask<TResult>> run, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await migrations.DoneAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            // Each try decides itself whether it can still be cancelled: the pipeline would also give up on what has been sent.
            return await _retry.ExecuteAsync(
                static (all, _) => all.Run(all.State, all.Cancellation),
                (State: state, Run: run, Cancellation: cancellationToken),
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (StoreFailure.Is(e))
        {
            throw StoreFailure.From(database, verb, e, time.GetElapsedTime(started));
        }
    }
}

/// <summary>Something through its tries: the second one knows that the first may have arrived, and can no longer be cancelled.</summary>
internal sealed class Sending<T>(T what)
{
    public T What { get; } = what;

    public bool Sent { get; private set; }

    public CancellationToken Cancellable(CancellationToken cancellationToken) => Sent ? CancellationToken.None : cancellationToken;

    public void Send(CancellationToken cancellationToken)
    {
        Cancellable(cancellationToken).ThrowIfCancellationRequested();
        Sent = true;
    }
}
