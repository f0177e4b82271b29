using RedisSessions.Consistency.Http.Environments;

namespace RedisSessions.Consistency.Http;

/// <summary>The processes of a run, over one environment.</summary>
internal sealed class Farm : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("consistency-").FullName;

    private Farm(HttpEnvironment environment, int processes) =>
        Processes = [.. Enumerable.Range(0, processes).Select(number => new FarmProcess(number, environment.Settings, _folder))];

    public IReadOnlyList<FarmProcess> Processes { get; }

    public static async Task<Farm> StartAsync(HttpEnvironment environment, int processes, CancellationToken cancellationToken)
    {
        var farm = new Farm(environment, processes);
        try
        {
            await Task.WhenAll(farm.Processes.Select(process => process.StartAsync(TimeSpan.Zero, cancellationToken)));
            await Task.WhenAll(farm.Processes.Select(process => process.WarmUpAsync(cancellationToken)));
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends all processes, then starts all: no two of them differ in their settings at any time.</summary>
    /// <param name="kills">Whether what they have under way is cut off.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task RestartAllAsync(bool kills, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Processes.Select(process => kills ? process.KillAsync() : process.StopAsync()));
        await Task.WhenAll(Processes.Select(process => process.StartAsync(process.ClockOffset, cancellationToken)));
    }

    /// <summary>Everything that the processes have written down so far.</summary>
    public IEnumerable<string> Witnesses() => Directory.EnumerateFiles(_folder, "witness-*.jsonl");

    public async ValueTask DisposeAsync()
    {
        foreach (var process in Processes)
            await process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
