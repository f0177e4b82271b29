namespace RedisSessions.Tests.Support;

/// <summary>What code takes from the memory of this thread.</summary>
internal static class Allocations
{
    /// <summary>Bytes in all of so many runs, once everything is warm.</summary>
    public static long Of(Action run, int times)
    {
        for (var i = 0; i < times; i++)
            run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < times; i++)
            run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
