using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Reference;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Tests.Support;

/// <summary>Executes requests one after another on the library and on the model, and tells where they first differ.</summary>
internal static class Agreement
{
    /// <summary>The first difference; null when there is none.</summary>
    public static async Task<string?> DifferenceAsync(IReadOnlyList<Request> requests, bool literalWins = false)
    {
        var manager = new SessionManager(
            new MemoryHandler(), Options.Create(new RedisSessionsOptions()), TimeProvider.System, NullLogger<SessionManager>.Instance);
        SessionId? cookie = null;
        var stored = ModelState.Empty;
        for (var number = 0; number < requests.Count; number++)
        {
            var request = requests[number];
            var session = cookie is { } id ? await manager.LoadAsync(id, request.Access) : manager.Create(request.Access);
            if (session.IsNew == stored.Exists)
                return $"{request.Id}: the library says new = {session.IsNew}";
            var real = await RunAsync(manager, request, session);
            var expected = Run(request, number, literalWins, ref stored);
            if (Difference(expected, real) is { } difference)
                return $"{request.Id}: {difference}";
            cookie = SessionManager.CookieFor(session) switch
            {
                SessionCookieAction.Issue => SessionId.TryParse(session.Id, out var issued) ? issued : null,
                SessionCookieAction.Expire => null,
                _ => cookie,
            };
        }
        return null;
    }

    private static async Task<IReadOnlyList<Segment>> RunAsync(SessionManager manager, Request request, Session session)
    {
        var result = await Interpreter.RunAsync(request, session, _ => Task.CompletedTask, CancellationToken.None);
        if (result.Failure is not null)
            return result.Segments;
        try
        {
            await manager.CommitAsync(session);
            return result.Close();
        }
        catch (SessionException e)
        {
            return result.Close(e);
        }
    }

    private static IReadOnlyList<Segment> Run(Request request, int number, bool literalWins, ref ModelState stored)
    {
        var run = new ScriptRun(request, number) { LiteralWins = literalWins };
        while (!run.IsOver)
        {
            var session = run.Next(stored);
            if (session.State.Exists)
                stored = session.State;
        }
        if (run.IsDestroyed)
            stored = ModelState.Empty;
        return run.Segments;
    }

    private static string? Difference(IReadOnlyList<Segment> expected, IReadOnlyList<Segment> real)
    {
        var (mine, theirs) = (Text(expected), Text(real));
        return mine == theirs ? null : $"the model{Environment.NewLine}{mine}the library{Environment.NewLine}{theirs}";
    }

    private static string Text(IReadOnlyList<Segment> segments)
    {
        var text = new StringBuilder();
        foreach (var segment in segments)
        {
            text.Append(segment.IsUpdate ? "  update " : "  plain ").Append(segment.Fate)
                .AppendLine(segment.WithNext ? " with the next" : "");
            foreach (var executed in segment.Steps)
                text.Append("    ").AppendLine(Printing.Line(executed with { Answer = AnswerText.Comparable(executed) }));
        }
        return text.ToString();
    }
}
