using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace RedisSessions;

/// <summary>
/// One request's session on its way to the response: commits when the response starts, and turns a failed commit into the response.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="session">Its session.</param>
/// <param name="manager">Commits it.</param>
/// <param name="cookie">Writes its cookie.</param>
/// <param name="foreign">Where the session comes from, when it is being imported.</param>
/// <param name="isAvailable">Whether the store could be read.</param>
/// <param name="services">The request's services.</param>
internal sealed class SessionExchange(
    HttpContext context, Session session, SessionManager manager, SessionCookie cookie, ForeignSession? foreign, bool isAvailable, IServiceProvidersFeature services)
    : ISessionFeature, IServiceProvidersFeature
{
    private byte[]? _problem;
    private ISession? _adapter;
    private IServiceProvider? _offered;

    public Session Session => session;

    /// <summary>The same session for code that knows ASP.NET Core's own.</summary>
    ISession ISessionFeature.Session
    {
        get => _adapter ??= new AspNetSession(context, session, isAvailable);
        set => _adapter = value;
    }

    /// <summary>
    /// The session is put into the request's service scope when somebody asks for that: a request that needs no services is spared the scope. An error handler may put another
    /// one in its place.
    /// </summary>
    IServiceProvider IServiceProvidersFeature.RequestServices
    {
        get
        {
            var scope = services.RequestServices;
            if (!ReferenceEquals(scope, _offered))
            {
                _offered = scope;
                scope.GetRequiredService<SessionHolder>().Session = session;
            }

            return scope;
        }
        set => services.RequestServices = value;
    }

    /// <summary>Whether the application lets threads wait for the network.</summary>
    public bool AllowsSynchronousIO => context.Features.Get<IHttpBodyControlFeature>()?.AllowSynchronousIO ?? false;

    /// <summary>Why the session could not be committed; the response is about that then, and about nothing else.</summary>
    public SessionException? Failure { get; private set; }

    /// <summary>
    /// Runs when the first byte is due, after whatever the endpoint's own callbacks still write into the session. Here the head of the
    /// response can still be replaced, but not its body: <see cref="SessionResponseBody"/> does that.
    /// </summary>
    public Task OnStartingAsync()
    {
        if (Failure is null)
        {
            // Most requests change nothing, and most that do are from nowhere else: they take no longer way than they need.
            var commit = manager.CommitAsync(session, CancellationToken.None);
            if (foreign is not null || !commit.IsCompletedSuccessfully)
                return OnStartingAsync(commit);
        }

        cookie.Write(context, session);
        return Task.CompletedTask;
    }

    private async Task OnStartingAsync(ValueTask commit)
    {
        try
        {
            await commit;
        }
        catch (SessionException failure)
        {
            Fail(failure);
        }

        if (Failure is null && foreign is not null && !session.IsNew)
        {
            await foreign.RemoveAsync();
            // Not when another request was the one to import: its response brings the new cookie, and may not arrive.
            if (SessionManager.CookieFor(session) != SessionCookieAction.Keep)
                foreign.ExpireCookie();
        }

        // Also after a failure: an earlier commit of this request may have given the session a new id.
        cookie.Write(context, session);
    }

    /// <summary>After the endpoint: what nothing has started, or changed since the start, is committed here.</summary>
    public async ValueTask FinishAsync()
    {
        if (Failure is not null)
            return;
        if (context.Response.HasStarted)
        {
            // Too late for a status code: a failure ends the connection, so that nobody takes this response for a success.
            if (SessionManager.WillIssueCookie(session))
            {
                throw new InvalidOperationException(
                    "The session would get a new id after the response has started, when its cookie cannot be sent any more. Write to a new "
                    + "session, or regenerate an id, before the first byte of the response; or call session.CommitAsync() before it.");
            }

            await manager.CommitAsync(session, CancellationToken.None);
        }
        else
        {
            // Not the request's token: a browser that goes away does not take a commit back half way. The engine bounds it.
            try
            {
                await manager.CommitAsync(session, CancellationToken.None);
            }
            catch (SessionException failure)
            {
                Fail(failure);
            }
        }
    }

    /// <summary>Gives up what the request changed, and makes the head of the response say why.</summary>
    public void Fail(SessionException failure)
    {
        SessionManager.Rollback(session);
        Failure = failure;
        _problem = SessionResults.Prepare(context.Response, failure);
    }

    /// <summary>The body of a failure, for the first who can write it.</summary>
    public byte[]? TakeProblem()
    {
        var problem = _problem;
        _problem = null;
        return problem;
    }
}
