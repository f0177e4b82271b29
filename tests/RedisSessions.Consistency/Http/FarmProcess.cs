using RedisSessions.Consistency.Http.Wire;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http;

/// <summary>A place in the farm: a process that is killed is followed by another one with the same number, at another address.</summary>
internal sealed class FarmProcess(int number, Func<int, IReadOnlyList<string>> settings, string folder) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly SemaphoreSlim _changing = new(1);
    private AppProcess? _app;
    private int _starts;

    public int Number => number;

    /// <summary>How far its clock is ahead.</summary>
    public TimeSpan ClockOffset { get; private set; }

    public Uri Address => _app?.Address ?? throw new InvalidOperationException("The process has not been started.");

    public HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        // A stopped process keeps its connections: the ones that wait must not keep others from being made.
        MaxConnectionsPerServer = 256,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task StartAsync(TimeSpan clockOffset, CancellationToken cancellationToken)
    {
        ClockOffset = clockOffset;
        var witness = Path.Combine(folder, $"witness-{number}-{++_starts}.jsonl");
        string[] arguments =
        [
            $"--{ProcessSettings.Witness}={witness}",
            FormattableString.Invariant($"--{ProcessSettings.ClockOffset}={clockOffset.TotalSeconds}"),
            .. settings(number),
        ];
        _app = await AppProcess.StartAsync(
            ConsistencyApp.Path, arguments,
            async client => await client.GetStringAsync(new Uri(ProcessSettings.Hello, UriKind.Relative), cancellationToken) == "hello",
            cancellationToken);
    }

    /// <summary>Waits until its store answers: an id that nobody has is looked for there.</summary>
    public Task WarmUpAsync(CancellationToken cancellationToken) => Poll.UntilAsync(
        async () =>
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, ProcessSettings.Ready));
            message.Headers.TryAddWithoutValidation("Cookie", $"{ProcessSettings.Cookie}={SessionId.New().Value}");
            using var response = await Client.SendAsync(message, cancellationToken);
            return response.IsSuccessStatusCode;
        },
        Patience, "the store answers", cancellationToken);

    /// <summary>kill -9, and another one in its place.</summary>
    public async Task RestartAsync(TimeSpan clockOffset, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            await KillAsync();
            await StartAsync(clockOffset, cancellationToken);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>kill -9. What it had under way gets no answer.</summary>
    public async Task KillAsync()
    {
        if (_app is not { } app)
            return;
        await app.KillAsync();
        await app.DisposeAsync();
    }

    /// <summary>SIGTERM: it answers what it has under way, and ends.</summary>
    public async Task StopAsync()
    {
        if (_app is not { } app)
            return;
        await app.SignalAsync("TERM");
        await Poll.UntilAsync(() => app.HasExited, Patience, "a process that was told to stop has ended", CancellationToken.None);
        await app.DisposeAsync();
    }

    /// <summary>SIGSTOP or SIGCONT.</summary>
    public Task SignalAsync(string signal) => _app?.SignalAsync(signal) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _changing.Dispose();
        if (_app is not null)
            await _app.DisposeAsync();
    }
}
