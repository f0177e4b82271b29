using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Console;

namespace WebFarm.Farm;

/// <summary>What the balancer and the instances have in common as programs.</summary>
internal static class FarmHost
{
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            Args = args,
            ContentRootPath = AppContext.BaseDirectory,
            // A farm over plain HTTP on this machine: only in Development may the session cookie do without HTTPS.
            EnvironmentName = Environments.Development,
        });
        // On standard error: an instance speaks to the balancer on standard output.
        builder.Logging.ClearProviders().AddSimpleConsole(static console => console.SingleLine = true);
        builder.Services.Configure<ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(LogLevel.Warning)
            // What it has to say about a failed start is said once, in one line, by StartAsync.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            // Keys in Redis are not encrypted once more: true, and well here.
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error)
            // That an instance which leaves is not ready is what the balancer asks for; it need not be said each time.
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            // The balancer's own account of a request that failed, which NextInstance repeats or answers.
            .AddFilter("Yarp", LogLevel.Error);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
        return builder;
    }

    /// <summary>Starts, or throws a <see cref="StartupException"/> that says in one line why not.</summary>
    public static async Task StartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new StartupException($"{e.Message} End what uses it, or choose another with --urls.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new StartupException(e.Message.ReplaceLineEndings(" "));
        }
    }
}
