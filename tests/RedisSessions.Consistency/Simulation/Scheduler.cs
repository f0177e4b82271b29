namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// Virtual time: events happen in the order in which they are due, one at a time. The engine resumes on the thread pool, so the scheduler
/// itself runs as a chain of work items on a pool of one thread, and takes the next event when the pool has nothing else to do. Thus the
/// order of everything is the seed's.
/// </summary>
internal sealed class Scheduler : IThreadPoolWorkItem
{
    private readonly PriorityQueue<Action, (long Due, long Number)> _events = new();
    private readonly TaskCompletionSource _ended = new();
    private long _number;
    private int _thread;
    private bool _stopped;

    /// <summary>Microseconds since the beginning.</summary>
    public long Now { get; private set; }

    /// <summary>The number of events that have happened.</summary>
    public long Steps { get; private set; }

    public void After(long microseconds, Action happens) =>
        _events.Enqueue(happens, (Now + Math.Max(microseconds, 0), _number++));

    /// <summary>No event happens after the present one.</summary>
    public void Stop() => _stopped = true;

    /// <summary>Lets everything happen. Called on a thread that does not belong to the pool.</summary>
    public void Run()
    {
        if (Thread.CurrentThread.IsThreadPoolThread || !ThreadPool.SetMinThreads(1, 1) || !ThreadPool.SetMaxThreads(1, 1))
            throw new InvalidOperationException("The simulation needs a thread of its own and a pool of one thread.");
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        _ended.Task.GetAwaiter().GetResult();
    }

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            if (_thread != 0 && _thread != Environment.CurrentManagedThreadId)
                throw new InvalidOperationException("The pool has a second thread: the order of events is not the seed's.");
            _thread = Environment.CurrentManagedThreadId;
            // What the last event has set off runs first.
            if (ThreadPool.PendingWorkItemCount == 0 && !TakeNext())
            {
                _ended.SetResult();
                return;
            }
        }
        catch (Exception e)
        {
            _ended.SetException(e);
            return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private bool TakeNext()
    {
        if (_stopped || !_events.TryDequeue(out var happens, out var place))
            return false;
        Now = place.Due;
        Steps++;
        happens();
        return true;
    }
}
