using System.Net.Http;
using Yarp.ReverseProxy.Forwarder;

namespace WebFarm.Farm;

/// <summary>
/// Between the death of an instance and the moment it is known, requests still go there. Those are sent to the next instance when that is safe: when the
/// connection was refused, so that nothing was sent; or when sending twice changes nothing.
/// </summary>
internal sealed class NextInstance(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var proxy = context.GetReverseProxyFeature();
        var untried = proxy.AvailableDestinations.ToList();
        while (true)
        {
            proxy.AvailableDestinations = untried;
            await next(context);
            var error = context.Features.Get<IForwarderErrorFeature>();
            if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
                return;
            if (error is null && untried.Count > 0)
                return;

            untried = [.. untried.Where(destination => destination != proxy.ProxiedDestination)];
            if (error is null || untried.Count == 0 || !IsSafeToRepeat(context.Request, error))
            {
                await ApologizeAsync(context.Response, mayBeDone: error is not null && !IsSafeToRepeat(context.Request, error));
                return;
            }

            context.Features.Set<IForwarderErrorFeature>(null);
            context.Response.Clear();
        }
    }

    private static bool IsSafeToRepeat(HttpRequest request, IForwarderErrorFeature error) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
        || error.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError };

    private static Task ApologizeAsync(HttpResponse response, bool mayBeDone)
    {
        response.Clear();
        response.StatusCode = mayBeDone ? StatusCodes.Status502BadGateway : StatusCodes.Status503ServiceUnavailable;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.RetryAfter = "1";
        return response.WriteAsync(mayBeDone
            ? "The instance died while it was working on this request. Go back and look whether it was done.\n"
            : "No instance is up. They are being started: reload the page in a moment.\n");
    }
}
