using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>
/// Between "stop" and the moment the server stops listening: readiness fails, and <see cref="RedisSessionsOptions.ShutdownDelay"/> gives the balancer the time to
/// notice. Of all services this one is asked first, before any is stopped, the web server among them.
/// </summary>
internal sealed class GracefulStop(
    IOptions<RedisSessionsOptions> options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<GracefulStop> logger) : IHostedLifecycleService
{
    private volatile bool _begun;

    /// <summary>Whether this instance is on its way out. It still answers what it is asked.</summary>
    public bool HasBegun => _begun || lifetime.ApplicationStopping.IsCancellationRequested;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Before the application's own signal when the host is stopped by code; after it when a signal of the system did it.
        _begun = true;
        var delay = options.Value.ShutdownDelay;
        if (delay == TimeSpan.Zero)
            return;
        Log.Leaving(logger, delay.TotalSeconds);
        await Task.Delay(delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>The host's patience covers the delay too: a delay as long as that would leave no time for the requests that are being answered.</summary>
internal sealed class ShutdownDelayValidator(IOptions<HostOptions> host) : IValidateOptions<RedisSessionsOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisSessionsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var patience = host.Value.ShutdownTimeout;
        return options.ShutdownDelay > TimeSpan.Zero && patience != Timeout.InfiniteTimeSpan && options.ShutdownDelay >= patience
            ? ValidateOptionsResult.Fail(
                $"Sessions:ShutdownDelay is {options.ShutdownDelay}: it must be shorter than HostOptions.ShutdownTimeout ({patience}), which covers it and the requests that are being answered then.")
            : ValidateOptionsResult.Success;
    }
}
