namespace RedisSessions.Consistency.Http.Faults;

/// <summary>One fault after another, chosen by the run's seed.</summary>
internal static class FaultSchedule
{
    public static async Task RunAsync(FaultContext context, IReadOnlyList<HttpFault> faults)
    {
        try
        {
            while (true)
            {
                await context.PauseAsync(200, 1500);
                var possible = faults.Where(fault => fault.IsPossible).ToArray();
                if (possible.Length == 0)
                    return;
                await possible[context.Random.Next(possible.Length)].RunAsync(context);
            }
        }
        catch (OperationCanceledException) when (context.Token.IsCancellationRequested)
        {
            // The run is over; each fault has ended what it began.
        }
    }

    /// <summary>Every fault that makes sense there.</summary>
    public static IReadOnlyList<HttpFault> For(Environments.HttpEnvironment environment, TimeSpan mostAhead) =>
    [
        new KillProcess(mostAhead), new StopProcess(),
        .. environment.Proxies.Count > 0 ? ProxyFault.All : [],
        .. environment.Faults,
        // As often as everything else together is too often; twice as often as any other fault is right for what only this environment has.
        .. environment.Faults,
    ];
}
