using System.Diagnostics;

namespace RedisSessions.TestServers;

/// <summary>Waiting for something to become true, with a deadline.</summary>
public static class Poll
{
    public static Task UntilAsync(Func<bool> condition, TimeSpan deadline, string what, CancellationToken cancellationToken) =>
        UntilAsync(() => Task.FromResult(condition()), deadline, what, cancellationToken);

    /// <exception cref="TimeoutException">It did not become true; the message says what.</exception>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan deadline, string what, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > deadline)
                throw new TimeoutException($"After {deadline.TotalSeconds:F0} s it is still not so that {what}.");
            await Task.Delay(20, cancellationToken);
        }
    }
}
