using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>HTTP: the cookie in, the session on the request, the commit before the response starts, the cookie out.</summary>
internal sealed class SessionMiddleware(
    RequestDelegate next, SessionManager manager, SessionCookie cookie, IOptions<RedisSessionsOptions> options, IEnumerable<SessionImport> imports,
    IServiceScopeFactory scopes, RequestMetrics metrics, ILogger<SessionMiddleware> logger)
{
    private readonly StoreFailureBehavior _onStoreFailure = options.Value.OnStoreFailure;
    private readonly SessionAccess _defaultAccess = options.Value.DefaultAccess;
    private readonly SessionImport[] _imports = [.. imports];

    public Task InvokeAsync(HttpContext context)
    {
        var access = context.GetEndpoint()?.Metadata.GetMetadata<ISessionAccessMetadata>()?.Access ?? _defaultAccess;
        return access == SessionAccess.None ? next(context) : AnswerAsync(context, access);
    }

    private async Task AnswerAsync(HttpContext context, SessionAccess access)
    {
        using var _ = metrics.Begin();
        var server = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        // An error handler may send the same request through the pipeline once more: it has its session already.
        var again = context.Features.Get<SessionExchange>();
        var exchange = again;
        if (exchange is null)
        {
            ForeignSession? foreign = null;
            try
            {
                exchange = Begin(context, await LoadAsync(context, access, out foreign), foreign);
            }
            catch (SessionException e)
            {
                exchange = BeginWithout(context, foreign, e);
            }
        }

        var before = context.Features.Get<ISessionFeature>();
        Offer(context, exchange);
        try
        {
            if (exchange.Failure is null)
            {
                var body = new SessionResponseBody(server, exchange);
                context.Features.Set<IHttpResponseBodyFeature>(body);
                await next(context);
                await exchange.FinishAsync();
                await body.FinishAsync();
            }
        }
        catch (SessionException e) when (ReferenceEquals(e, exchange.Failure) || !context.Response.HasStarted)
        {
            if (exchange.Failure is null)
                exchange.Fail(e);
        }
        catch
        {
            // The request failed, and so did its transaction: nothing that it changed is stored.
            SessionManager.Rollback(exchange.Session);
            throw;
        }
        finally
        {
            context.Features.Set(server);
            context.Features.Set(before);
            if (again is null)
                await SessionManager.ReleaseAsync(exchange.Session);
        }

        if (exchange.Failure is not { } failure)
            return;
        Log.Failed(logger, context.Request.Method, context.Response.StatusCode, failure);
        if (exchange.TakeProblem() is { } problem)
            await server.Stream.WriteAsync(problem, CancellationToken.None);
    }

    /// <summary>No async method of its own: what the manager gives is passed on, also when it waits for the store.</summary>
    private ValueTask<Session> LoadAsync(HttpContext context, SessionAccess access, out ForeignSession? foreign)
    {
        foreign = null;
        if (cookie.Read(context) is { } id)
            return manager.LoadAsync(id, access, context.RequestAborted);
        foreign = FindForeign(context);
        return foreign is null
            ? new(manager.Create(access))
            : manager.ImportAsync(foreign.Id, foreign.ReadAsync, access, context.RequestAborted);
    }

    private SessionExchange Begin(HttpContext context, Session session, ForeignSession? foreign, bool isAvailable = true)
    {
        session.UserAgent = context.Request.Headers.UserAgent;
        session.ClientAddress = context.Connection.RemoteIpAddress;
        // As HttpContext makes it itself when somebody asks for services; asking would open the scope.
        var services = context.Features.Get<IServiceProvidersFeature>() ?? new RequestServicesFeature(context, scopes);
        var exchange = new SessionExchange(context, session, manager, cookie, foreign, isAvailable, services);
        context.Response.OnStarting(static exchange => ((SessionExchange)exchange).OnStartingAsync(), exchange);
        return exchange;
    }

    private SessionExchange BeginWithout(HttpContext context, ForeignSession? foreign, SessionException failure)
    {
        var exchange = Begin(context, manager.CreateDetached(), foreign, isAvailable: false);
        if (failure is SessionStoreException && _onStoreFailure == StoreFailureBehavior.Anonymous)
        {
            metrics.Anonymous();
            Log.Anonymous(logger, failure);
        }
        else
        {
            exchange.Fail(failure);
        }

        return exchange;
    }

    /// <summary>Also when the request comes through once more.</summary>
    private static void Offer(HttpContext context, SessionExchange exchange)
    {
        context.Features.Set(exchange);
        context.Features.Set<ISessionFeature>(exchange);
        context.Features.Set<IServiceProvidersFeature>(exchange);
    }

    private ForeignSession? FindForeign(HttpContext context)
    {
        foreach (var import in _imports)
        {
            if (import.Find(context) is { } found)
                return found;
        }

        return null;
    }
}

/// <summary>Carries the request's session into its service scope.</summary>
internal sealed class SessionHolder
{
    public Session? Session { get; set; }
}
