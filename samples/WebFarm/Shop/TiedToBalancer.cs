using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;
using RedisSessions;

namespace WebFarm.Shop;

/// <summary>
/// An instance lives as long as its balancer, which holds the other end of its standard input: the end of the input is the end of the
/// instance, also when the balancer was killed and could not say goodbye. SIGTERM ends one instance, gently.
/// </summary>
internal sealed class TiedToBalancer(IHostApplicationLifetime lifetime, IOptions<RedisSessionsOptions> sessions) : IHostLifetime, IDisposable
{
    private PosixSignalRegistration? _interrupt, _terminate;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        // Ctrl-C reaches every process of the terminal. The balancer hears it too, finishes its requests, and then lets go of this one.
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            lifetime.StopApplication();
        });
        new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
            }

            // Nobody is left who would have to notice.
            sessions.Value.ShutdownDelay = TimeSpan.Zero;
            lifetime.StopApplication();
        })
        { IsBackground = true, Name = "balancer watch" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _interrupt?.Dispose();
        _terminate?.Dispose();
    }
}
