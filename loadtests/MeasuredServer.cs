using System.Text;

/// <summary>How every application that is measured serves HTTP: a comparison of two is none if they differ in this. Compiled into each of them.</summary>
internal static class MeasuredServer
{
    public static WebApplicationBuilder Create(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Hostile cookies are to reach the session code, not to be answered 400 or 431 on their way.
            kestrel.Limits.MaxRequestHeadersTotalSize = 256 * 1024;
            kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.AddServerHeader = false;
        });
        return builder;
    }
}
