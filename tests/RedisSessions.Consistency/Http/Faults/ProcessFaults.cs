namespace RedisSessions.Consistency.Http.Faults;

/// <summary>kill -9 of a process, and another one in its place, perhaps with a clock that is wrong.</summary>
internal sealed class KillProcess(TimeSpan mostAhead) : HttpFault
{
    public override string Name => "kill";

    public override async Task RunAsync(FaultContext context)
    {
        var process = context.AnyProcess();
        var offset = mostAhead * (2 * context.Random.NextDouble() - 1);
        context.Note(FormattableString.Invariant($"kill process {process.Number}, the next one is {offset.TotalSeconds:F0} s ahead"));
        await process.RestartAsync(offset, CancellationToken.None);
    }
}

/// <summary>SIGSTOP of a process for seconds: what it has read grows old meanwhile.</summary>
internal sealed class StopProcess : HttpFault
{
    public override string Name => "stop";

    public override async Task RunAsync(FaultContext context)
    {
        var process = context.AnyProcess();
        context.Note(FormattableString.Invariant($"stop process {process.Number}"));
        await process.SignalAsync("STOP");
        try
        {
            await context.PauseAsync(300, 2500);
        }
        finally
        {
            await process.SignalAsync("CONT");
            context.Note(FormattableString.Invariant($"continue process {process.Number}"));
        }
    }
}
