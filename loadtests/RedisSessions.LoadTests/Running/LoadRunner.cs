using RedisSessions.LoadTests.Scenarios;

namespace RedisSessions.LoadTests.Running;

/// <summary>Runs the steps of a scenario, closed or open.</summary>
/// <remarks>
/// In an open model step k is meant to begin k / rate after the start, and its latency counts from then: when the site stalls, everybody who would have come in the
/// meantime has waited too, and the histogram says so. A runner that waits for one step before it begins the next hides that.
/// </remarks>
internal sealed class LoadRunner(TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <param name="scenario">Prepared.</param>
    /// <param name="model">Who decides when a step begins.</param>
    /// <param name="duration">How long steps begin.</param>
    /// <param name="watch">Sees the run as it goes on, until its end.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<RunRecord> RunAsync(
        IScenario scenario, LoadModel model, TimeSpan duration, Func<RunRecord, CancellationToken, Task>? watch, CancellationToken cancellationToken)
    {
        var record = new RunRecord(time);
        // What is not answered long after the end is not waited for.
        using var limit = new CancellationTokenSource(duration + Patience, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = watch?.Invoke(record, over.Token) ?? Task.CompletedTask;
        var disturbing = DisturbAsync(scenario, duration, over.Token);

        var started = time.GetTimestamp();
        var ticket = -1L;
        await Task.WhenAll(Enumerable.Range(0, model.Workers).Select(_ => model.Rate is { } rate ? OpenAsync(rate) : ClosedAsync()));
        await over.CancelAsync();
        await Task.WhenAll(watching, disturbing);
        cancellationToken.ThrowIfCancellationRequested();
        return record;

        async Task ClosedAsync()
        {
            // Workers begin on threads of the pool, not one after the other on this one.
            await Task.Yield();
            while (time.GetElapsedTime(started) < duration && !ends.IsCancellationRequested)
                await StepAsync(time.GetTimestamp());
        }

        async Task OpenAsync(double rate)
        {
            await Task.Yield();
            while (Interlocked.Increment(ref ticket) is var step && TimeSpan.FromSeconds(step / rate) is var due && due < duration && !ends.IsCancellationRequested)
            {
                if (due - time.GetElapsedTime(started) is { Ticks: > 0 } early)
                    await Task.Delay(early, time, CancellationToken.None);
                await StepAsync(started + (long)(due.TotalSeconds * time.TimestampFrequency));
            }
        }

        async Task StepAsync(long intended)
        {
            var began = time.GetTimestamp();
            string? failure;
            try
            {
                failure = (await scenario.StepAsync(ends.Token)).Failure;
            }
            catch (OperationCanceledException) when (ends.IsCancellationRequested)
            {
                failure = "no answer";
            }

            record.Note(failure, intended, began);
        }
    }

    private async Task DisturbAsync(IScenario scenario, TimeSpan duration, CancellationToken over)
    {
        try
        {
            await Task.Delay(duration / 2, time, over);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await scenario.DisturbAsync(CancellationToken.None);
    }
}
