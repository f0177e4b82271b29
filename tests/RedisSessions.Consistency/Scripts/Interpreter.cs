namespace RedisSessions.Consistency.Scripts;

/// <summary>
/// Executes a request on a session, as an endpoint would, and writes down each step with its answer. The last segment is left open: whoever
/// calls this
/// commits it, as the middleware does.
/// </summary>
internal sealed class Interpreter
{
    private static readonly CancellationToken Cancelled = new(canceled: true);
    private readonly Session _session;
    private readonly StepRunner _runner;
    private readonly CancellationToken _cancellationToken;
    private readonly List<Segment> _segments = [];
    private List<Executed> _open = [];

    private Interpreter(Session session, Func<long, Task> wait, CancellationToken cancellationToken)
    {
        _session = session;
        _runner = new StepRunner(session, wait);
        _cancellationToken = cancellationToken;
    }

    /// <summary>Executes a request's steps.</summary>
    /// <param name="request">What to do.</param>
    /// <param name="session">The session that was loaded for it.</param>
    /// <param name="wait">Takes so many milliseconds: work inside the endpoint or a delegate.</param>
    /// <param name="cancellationToken">Goes to commits and updates, as the request's own token does.</param>
    public static async Task<ExecutionResult> RunAsync(Request request, Session session, Func<long, Task> wait,
        CancellationToken cancellationToken)
    {
        var interpreter = new Interpreter(session, wait, cancellationToken);
        var failure = await interpreter.RunAsync(request.Steps);
        return new ExecutionResult(interpreter._segments, failure is null ? interpreter._open : [], failure);
    }

    private async Task<Exception?> RunAsync(IReadOnlyList<Step> steps)
    {
        foreach (var step in steps)
        {
            if (await RunAsync(step) is { } failure)
                return failure;
        }
        return null;
    }

    /// <summary>Runs one step of plain code; answers what ends the request, if anything does.</summary>
    private async Task<Exception?> RunAsync(Step step)
    {
        switch (step.Op)
        {
            case Op.Commit:
                return await CommitAsync(step, _cancellationToken);
            case Op.CancelledCommit:
                return await CommitAsync(step, Cancelled);
            case Op.Update:
                return await UpdateAsync(step, _cancellationToken);
            case Op.CancelledUpdate:
                return await UpdateAsync(step, Cancelled);
            case Op.Discard:
                SessionManager.Rollback(_session);
                Close(Fate.Abandoned, "Discard");
                return null;
            case Op.IfHas or Op.IfEquals:
                return _runner.Condition(step, _open) is { } taken ? await RunAsync(taken) : null;
        }
        try
        {
            await _runner.RunAsync(step, _open, catches: true);
            return null;
        }
        catch (Exception e)
        {
            // Nothing of a request that failed is stored.
            var (fate, detail) = Fates.Of(e);
            Close(fate, detail);
            return e;
        }
    }

    private async Task<Exception?> CommitAsync(Step step, CancellationToken cancellationToken)
    {
        try
        {
            await _session.CommitAsync(cancellationToken);
            Close(Fate.Committed);
            return null;
        }
        catch (OperationCanceledException) when (cancellationToken == Cancelled)
        {
            // It left no trace, so the segment goes on.
            _open.Add(new Executed(step, "!Cancelled"));
            return null;
        }
        catch (Exception e)
        {
            var (fate, detail) = Fates.Of(e);
            Close(fate, detail);
            return e;
        }
    }

    private async Task<Exception?> UpdateAsync(Step step, CancellationToken cancellationToken)
    {
        var before = _open;
        var (answers, runs) = (new List<Executed>(), 0);
        Exception? thrown = null;
        try
        {
            if (step.Waits())
                await _session.UpdateAsync(async _ => await RunDelegateAsync(), cancellationToken);
            else
                await _session.UpdateAsync(_ => RunDelegateAsync().GetAwaiter().GetResult(), cancellationToken);
        }
        catch (Exception e)
        {
            thrown = e;
        }
        if (runs == 0 && thrown is not null && Fates.IsRefusal(thrown))
        {
            // Refused like any other step, before the delegate ran: the session is read-only or destroyed.
            _open.Add(new Executed(step.Flat(), Fates.Refusal(thrown)));
            return null;
        }
        var (fate, detail) = thrown is null ? (Fate.Committed, null) : Fates.Of(thrown);
        var update = new Segment(answers, fate, detail) { IsUpdate = true, Runs = runs };
        if (fate == Fate.Abandoned)
        {
            // What the request had changed before is still to be committed.
            _segments.Add(update);
            return null;
        }
        if (before.Count > 0)
            Close(fate, detail, withNext: true);
        _segments.Add(update);
        return thrown;

        Task RunDelegateAsync()
        {
            // A delegate that runs again answers anew.
            answers = [];
            runs++;
            return _runner.RunDelegateAsync(step.Then ?? [], answers);
        }
    }

    private void Close(Fate fate, string? detail = null, bool withNext = false)
    {
        _segments.Add(new Segment(_open, fate, detail) { WithNext = withNext });
        _open = [];
    }
}
