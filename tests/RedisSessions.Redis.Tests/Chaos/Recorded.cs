using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.Chaos;

/// <summary>Requests of an application without HTTP, taken down in a history.</summary>
internal static class Recorded
{
    private const string Log = "log";

    /// <summary>One request that appends a token.</summary>
    public static Task<Outcome> PushAsync(this SessionHistory history, SessionManager manager, string name, SessionId id, int number = 0) =>
        history.PushAsync(name, number, token => OutcomeAsync(async () =>
        {
            var session = await manager.LoadAsync(id, cancellationToken: TestContext.Current.CancellationToken);
            if (session.IsNew)
                return Outcome.Refused;
            session.Push(Log, token);
            await session.CommitAsync(TestContext.Current.CancellationToken);
            return Outcome.Acknowledged;
        }));

    /// <summary>One request that reads all tokens.</summary>
    public static Task<Outcome> LookAsync(this SessionHistory history, SessionManager manager, string name, SessionId id, int number = 0) =>
        history.LookAsync(name, number, async () =>
        {
            IReadOnlyList<string>? tokens = null;
            var outcome = await OutcomeAsync(async () =>
            {
                var session = await manager.LoadAsync(id, cancellationToken: TestContext.Current.CancellationToken);
                tokens = session.IsNew ? null : [.. (session[Log] as IReadOnlyList<object?> ?? []).Select(token => (string)token!)];
                return Outcome.Acknowledged;
            });
            return (outcome, tokens);
        });

    /// <summary>A logout, or a login; the id that the session has after it, when that was acknowledged.</summary>
    public static async Task<(Outcome Outcome, SessionId Id)> EndAsync(
        this SessionHistory history, SessionManager manager, string name, SessionId id, SessionEnd how, int number = 0)
    {
        var after = id;
        var outcome = await history.EndAsync(name, number, how, () => OutcomeAsync(async () =>
        {
            var session = await manager.LoadAsync(id, cancellationToken: TestContext.Current.CancellationToken);
            if (session.IsNew)
                return Outcome.Refused;
            if (how == SessionEnd.Destroyed)
                session.Destroy(expireCookie: true);
            else
                session.RegenerateId(deleteOld: true);
            await session.CommitAsync(TestContext.Current.CancellationToken);
            if (how == SessionEnd.Replaced)
                Assert.True(SessionId.TryParse(session.Id, out after));
            return Outcome.Acknowledged;
        }));
        return (outcome, after);
    }

    private static async Task<Outcome> OutcomeAsync(Func<Task<Outcome>> request)
    {
        try
        {
            return await request();
        }
        catch (SessionConflictException)
        {
            return Outcome.Refused;
        }
        catch (SessionException)
        {
            // Its answer was lost, or it never left: the caller cannot tell.
            return Outcome.Unknown;
        }
    }
}
