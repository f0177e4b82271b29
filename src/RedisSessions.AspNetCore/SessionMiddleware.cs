using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>HTTP: the cookie in, the session on the request, the commit before the response starts, the cookie out.</summary>
internal sealed class SessionMiddleware(
    RequestDelegate next, SessionManager manager, SessionCookie cookie, IOptions<RedisSessionsOptions> options, ILogger<SessionMiddleware> logger)
{
    private readonly StoreFailureBehavior _onStoreFailure = options.Value.OnStoreFailure;

    public async Task InvokeAsync(HttpContext context)
    {
        var access = context.GetEndpoint()?.Metadata.GetMetadata<ISessionAccessMetadata>()?.Access ?? SessionAccess.Optimistic;
        if (access == SessionAccess.None)
        {
            await next(context);
            return;
        }

        var server = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        // An error handler may send the same request through the pipeline once more: it has its session already.
        var exchange = context.Features.Get<SessionExchange>() ?? await BeginAsync(context, access);
        if (exchange.Failure is null)
            await RunAsync(context, exchange, server);
        if (exchange.Failure is not { } failure)
            return;
        Log.Failed(logger, context.Request.Method, context.Response.StatusCode, failure);
        if (exchange.TakeProblem() is { } problem)
            await server.Stream.WriteAsync(problem, CancellationToken.None);
    }

    private async Task RunAsync(HttpContext context, SessionExchange exchange, IHttpResponseBodyFeature server)
    {
        var body = new SessionResponseBody(server, exchange, () => context.Features.Get<IHttpBodyControlFeature>()?.AllowSynchronousIO ?? false);
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await next(context);
            await exchange.FinishAsync();
            await body.FinishAsync();
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
        }
    }

    private async ValueTask<SessionExchange> BeginAsync(HttpContext context, SessionAccess access)
    {
        SessionStoreException? failure = null;
        var session = manager.Create(access);
        try
        {
            if (cookie.Read(context) is { } id)
                session = await manager.LoadAsync(id, access, context.RequestAborted);
        }
        catch (SessionStoreException e)
        {
            session = manager.CreateDetached();
            if (_onStoreFailure == StoreFailureBehavior.Anonymous)
                Log.Anonymous(logger, e);
            else
                failure = e;
        }

        var exchange = new SessionExchange(context, session, manager, cookie);
        context.Features.Set(exchange);
        context.RequestServices.GetRequiredService<SessionHolder>().Session = session;
        context.Response.OnStarting(static exchange => ((SessionExchange)exchange).OnStartingAsync(), exchange);
        if (failure is not null)
            exchange.Fail(failure);
        return exchange;
    }
}

/// <summary>Carries the request's session into its service scope.</summary>
internal sealed class SessionHolder
{
    public Session? Session { get; set; }
}
