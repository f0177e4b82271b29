using System.Diagnostics;

namespace RedisSessions.WebFarm.Tests;

/// <summary>Waits for what will be, and not a moment longer.</summary>
internal static class Poll
{
    public static Task UntilAsync(Func<bool> condition, TimeSpan patience, string what, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(condition()), patience, what, cancellationToken);

    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan patience, string what, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > patience)
                throw new TimeoutException($"Waited {patience.TotalSeconds:F0} s for {what}.");
            await Task.Delay(20, cancellationToken);
        }
    }
}
