using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>One request inside a process: what the middleware does with the engine's public members, without HTTP.</summary>
internal sealed class Exchange(SimulatedProcess process, Request request, SessionId? cookie, Draws draws)
{
    private readonly TaskCompletionSource<Answer> _answer = new();

    /// <summary>What the process answers; never completes when it dies.</summary>
    public Task<Answer> Answered => _answer.Task;

    /// <summary>What the browser is told.</summary>
    public sealed record Answer(IReadOnlyList<Segment> Segments, bool? WasNew, CookieAnswer Cookie, SessionId? Id);

    public async Task RunAsync()
    {
        SimulatedProcess.Enter(draws);
        Session session;
        try
        {
            session = cookie is { } id
                ? await process.Manager.LoadAsync(id, request.Access, CancellationToken.None)
                : process.Manager.Create(request.Access);
        }
        catch (Exception e)
        {
            var (fate, detail) = Fates.Of(e);
            _answer.SetResult(new Answer([new Segment([], fate, detail)], null, CookieAnswer.None, null));
            return;
        }

        try
        {
            await AnswerAsync(session);
        }
        finally
        {
            await SessionManager.ReleaseAsync(session, CancellationToken.None);
        }
    }

    private async Task AnswerAsync(Session session)
    {
        var wasNew = session.IsNew;
        var result = await Interpreter.RunAsync(request, session, WorkAsync, CancellationToken.None);
        Exception? thrown = null;
        try
        {
            if (result.Failure is null)
                await process.Manager.CommitAsync(session, CancellationToken.None);
            else
                SessionManager.Rollback(session);
        }
        catch (Exception e)
        {
            SessionManager.Rollback(session);
            thrown = e;
        }

        // Also after a failure: an earlier commit of this request may have given the session a new id.
        var (answer, id) = SessionManager.CookieFor(session) switch
        {
            SessionCookieAction.Issue when SessionId.TryParse(session.Id, out var issued) => (CookieAnswer.Issued, issued),
            SessionCookieAction.Expire => (CookieAnswer.Expired, null),
            _ => (CookieAnswer.None, (SessionId?)null),
        };
        _answer.SetResult(new Answer(result.Close(thrown), wasNew, answer, id));
    }

    private Task WorkAsync(long milliseconds) => process.PauseAsync(milliseconds * 1000);
}
