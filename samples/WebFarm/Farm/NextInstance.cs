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
        while (true)
        {
            await next(context);
            var error = context.Features.Get<IForwarderErrorFeature>();
            if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested)
                return;
            if (error is null && proxy.AvailableDestinations.Count > 0)
                return;

            var others = proxy.AvailableDestinations.Where(destination => destination != proxy.ProxiedDestination).ToArray();
            if (error is null || others.Length == 0 || !IsSafeToRepeat(context.Request, error))
            {
                await ApologizeAsync(context.Response, sent: error is not null && others.Length > 0);
                return;
            }

            context.Features.Set<IForwarderErrorFeature>(null);
            context.Response.Clear();
            proxy.AvailableDestinations = others;
            proxy.ProxiedDestination = null;
        }
    }

    private static bool IsSafeToRepeat(HttpRequest request, IForwarderErrorFeature error) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)
        || error.Exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError };

    private static Task ApologizeAsync(HttpResponse response, bool sent)
    {
        response.Clear();
        response.StatusCode = sent ? StatusCodes.Status502BadGateway : StatusCodes.Status503ServiceUnavailable;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.RetryAfter = "1";
        return response.WriteAsync(sent
            ? "The instance died while it was working on this request. Go back and look whether it was done.\n"
            : "No instance is up. They are being started: reload the page in a moment.\n");
    }
}
