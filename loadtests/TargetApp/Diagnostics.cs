using System.Diagnostics;

namespace TargetApp;

/// <summary>What this process uses at the moment.</summary>
/// <param name="Heap">Bytes that managed objects occupy, dead ones included unless they were collected first.</param>
/// <param name="Resident">Bytes of memory that the system has given it.</param>
/// <param name="Threads">Threads of the process, whatever they do.</param>
/// <param name="PoolThreads">Threads of the pool among them.</param>
/// <param name="Pending">What waits for a thread of the pool.</param>
internal sealed record Diagnostics(long Heap, long Resident, int Threads, int PoolThreads, long Pending)
{
    /// <param name="collect">Whether garbage is collected first: then the heap is what is alive.</param>
    public static Diagnostics Now(bool collect)
    {
        if (collect)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }

        using var process = Process.GetCurrentProcess();
        return new Diagnostics(GC.GetTotalMemory(forceFullCollection: false), process.WorkingSet64, process.Threads.Count, ThreadPool.ThreadCount, ThreadPool.PendingWorkItemCount);
    }
}
