namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// The handler of one process: the way to a store over a network that loses, delays and repeats. Written from the text of
/// <see cref="ISessionHandler"/>: what got no answer is sent again as it was, three times in all; where the outcome of a commit cannot be
/// told,
/// a <see cref="SessionStoreException"/> says so.
/// </summary>
internal class StoreLink(SimulatedProcess process, SimulatedStore store) : ISessionHandler
{
    private const int Tries = 3;
    private const long TryTimeout = 1_000_000;
    private const long ReplicaTimeout = 200_000;

    public async ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        var call = new Call<SessionRecord?>("read", answer => answer(store.Read(key, Lifetime)));
        return await AskAsync(call, cancellationToken, cancellationToken);

        TimeSpan Lifetime(SessionRecord record) => record.Lifetime(process.Clock.GetUtcNow(), idleTimeout);
    }

    public async ValueTask<CommitResult> CommitAsync(
        SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(record);
        var (bytes, lifetime) = (RecordFormat.Write(record), record.Lifetime(process.Clock.GetUtcNow(), idleTimeout));
        var call = new Call<CommitResult>("commit", Commit)
        {
            Check = (result, mayBeApplied) => Check(result, expected, mayBeApplied),
            Describe = result => $"{record.State} v{expected.Count}->v{record.Version.Count}: {Name(result)}",
        };
        return await AskAsync(call, cancellationToken, CancellationToken.None);

        void Commit(Action<CommitResult> answer)
        {
            var (result, sequence) = store.Commit(key, expected, bytes, lifetime);
            store.WhenReplicated(sequence, () => answer(result));
        }
    }

    public async ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var call = new Call<bool>("delete", Delete);
        return await AskAsync(call, cancellationToken, CancellationToken.None);

        void Delete(Action<bool> answer)
        {
            var (wasThere, sequence) = store.Delete(key);
            store.WhenReplicated(sequence, () => answer(wasThere));
        }
    }

    /// <summary>Sends something that is no commit, and waits for its answer in the same way.</summary>
    protected ValueTask<T> AskAsync<T>(string verb, Func<T> carryOut, CancellationToken cancellationToken) =>
        AskAsync(new Call<T>(verb, answer => answer(carryOut())), cancellationToken, cancellationToken);

    private async ValueTask<T> AskAsync<T>(Call<T> call, CancellationToken beforeSending, CancellationToken whileRunning)
    {
        beforeSending.ThrowIfCancellationRequested();
        var mayBeApplied = false;
        for (var tries = 1; ; tries++)
        {
            var answer = new TaskCompletionSource<T>();
            Send(call, answer);
            try
            {
                var result = await answer.Task.WaitAsync(whileRunning);
                return call.Check is { } check ? check(result, mayBeApplied) : result;
            }
            catch (Exception e) when (e is TimeoutException or UnreachableException or SessionStoreException)
            {
                process.HasTrouble();
                mayBeApplied |= e is TimeoutException;
                if (e is SessionStoreException)
                    throw;
                if (tries == Tries)
                    throw new SessionStoreException(store.Name, call.Verb, e.Message, e);
            }

            if (store.IsAway)
                await process.PauseAsync(100_000);
        }
    }

    private void Send<T>(Call<T> call, TaskCompletionSource<T> answer)
    {
        var (draws, faults) = (process.Draws, process.Faults);
        var timeout = store.HasReplica && call.Verb != "read" ? ReplicaTimeout : TryTimeout;
        process.After(timeout, () => answer.TrySetException(new TimeoutException("no answer came in time")));
        var back = draws.Chance(faults.LoseAnswer) ? (long?)null : faults.Latency(draws);
        if (draws.Chance(faults.LoseRequest))
            process.Note($"{store.Name}: {call.Verb} is lost");
        else
            process.Network.After(faults.Latency(draws), () => Arrive(call, answer, back));
        if (draws.Chance(faults.Repeat))
            process.Network.After(
                draws.Between(1_000, faults.LongestDelay * 1000L), () => Arrive(call, new TaskCompletionSource<T>(), null));
    }

    // The network carries on what was sent, whether its sender is still alive or not.
    private void Arrive<T>(Call<T> call, TaskCompletionSource<T> answer, long? back)
    {
        if (store.IsAway)
        {
            if (back is { } refusal)
                process.After(refusal, () => answer.TrySetException(new UnreachableException()));
            return;
        }

        try
        {
            call.Run(result =>
            {
                process.Note($"{store.Name}: {call.Verb} {call.Describe?.Invoke(result)}{(back is null ? ", not answered" : "")}");
                if (back is { } latency)
                    process.After(latency, () => answer.TrySetResult(result));
            });
        }
        catch (SessionStoreException refused)
        {
            process.Note($"{store.Name}: {call.Verb} is refused: {refused.Message}");
            if (back is { } latency)
                process.After(latency, () => answer.TrySetException(refused));
        }
    }

    private CommitResult Check(CommitResult result, SessionVersion expected, bool mayBeApplied)
    {
        if (!mayBeApplied || result is not CommitResult.Conflict { Current: var current })
            return result;
        if (process.Bug == StoreBug.TakesConflictForSuccess)
            return CommitResult.Committed.Instance;
        return current.RemembersCommitsSince(expected) || process.Bug == StoreBug.ForgetsCommitIds
            ? result
            : throw new SessionStoreException(store.Name, "commit", "an answer was lost, and the outcome cannot be told");
    }

    private static string Name(CommitResult result) => result switch
    {
        CommitResult.Committed => "committed",
        CommitResult.Conflict { Current: var current } => $"conflict with {current.State} v{current.Version.Count}",
        _ => "gone",
    };

    /// <param name="Verb">read, commit, delete or what concerns a lease.</param>
    /// <param name="Run">Carries it out in the store, and answers.</param>
    private sealed record Call<T>(string Verb, Action<Action<T>> Run)
    {
        public Func<T, bool, T>? Check { get; init; }

        public Func<T, string>? Describe { get; init; }
    }

    private sealed class UnreachableException() : Exception("the store cannot be reached");
}
