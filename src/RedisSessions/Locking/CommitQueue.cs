using System.Runtime.InteropServices;

namespace RedisSessions.Locking;

/// <summary>
/// Within one process the commits of one session queue up instead of racing in the store. Courtesy, not safety: safety is the version.
/// </summary>
/// <param name="wake">How the next in line goes on: by default not on the stack of the one that leaves.</param>
internal sealed class CommitQueue(TaskCreationOptions wake = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly TaskCreationOptions _wake = wake;
    private readonly Lock _lock = new();
    private readonly Dictionary<SessionKey, Line> _lines = [];

    /// <summary>The number of sessions with a commit under way.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _lines.Count;
        }
    }

    /// <summary>Waits for this session's turn, however many others do.</summary>
    /// <returns>The turn, which ends when disposed; null when it did not come in time.</returns>
    public ValueTask<Turn?> EnterAsync(SessionKey key, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken) =>
        EnterAsync(key, wait, int.MaxValue, first: false, time, cancellationToken);

    /// <summary>Waits for this session's turn.</summary>
    /// <param name="key">The session.</param>
    /// <param name="wait">How long.</param>
    /// <param name="maxWaiting">How many may wait at once.</param>
    /// <param name="first">At the head of the line: for one who had a turn already, and could make nothing of it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The turn, which ends when disposed; null when it did not come in time, or at once when <paramref name="maxWaiting"/> are waiting already.</returns>
    public ValueTask<Turn?> EnterAsync(SessionKey key, TimeSpan wait, int maxWaiting, bool first, TimeProvider time, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(_lines, key, out var isTaken);
            if (isTaken)
            {
                if (line!.Waiting.Count >= maxWaiting)
                    return default;
                var mine = new TaskCompletionSource(_wake);
                return WaitAsync(key, line, first ? line.Waiting.AddFirst(mine) : line.Waiting.AddLast(mine), wait, time, cancellationToken);
            }

            line = new Line();
            return new(new Turn(this, key, line));
        }
    }

    private async ValueTask<Turn?> WaitAsync(
        SessionKey key, Line line, LinkedListNode<TaskCompletionSource> place, TimeSpan wait, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await place.Value.Task.WaitAsync(wait, time, cancellationToken).ConfigureAwait(false);
            return new Turn(this, key, line);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            bool handedOver;
            lock (_lock)
            {
                handedOver = place.List is null;
                if (!handedOver)
                    line.Waiting.Remove(place);
            }

            // The turn came in the same moment: pass it on, or the line would stand still.
            if (handedOver && Leave(key, line) is { } passed)
                await passed.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException)
                throw;
            return null;
        }
    }

    /// <returns>What had been passed on, when nobody is left to take it.</returns>
    private IAsyncDisposable? Leave(SessionKey key, Line line)
    {
        TaskCompletionSource next;
        lock (_lock)
        {
            if (!line.IsWaitedFor)
            {
                _lines.Remove(key);
                return line.Passed;
            }

            next = line.Next();
        }

        next.SetResult();
        return null;
    }

    private bool TryPass(Line line, IAsyncDisposable thing)
    {
        TaskCompletionSource next;
        lock (_lock)
        {
            if (!line.IsWaitedFor)
                return false;
            line.Passed = thing;
            next = line.Next();
        }

        next.SetResult();
        return true;
    }

    /// <summary>The right to commit to one session from this process.</summary>
    public sealed class Turn(CommitQueue queue, SessionKey key, Line line) : IDisposable
    {
        public SessionKey Key => key;

        /// <summary>Whether somebody waits for this turn to end. They may have gone a moment later.</summary>
        public bool IsWaitedFor
        {
            get
            {
                lock (queue._lock)
                    return line.IsWaitedFor;
            }
        }

        /// <summary>How those who wait go on.</summary>
        public TaskCreationOptions Wake => queue._wake;

        /// <summary>The newest record that anybody in this line has seen: who waited need not go to the store to learn that they are late.</summary>
        public SessionRecord? Newest
        {
            get => line.Newest;
            set => line.Newest = value;
        }

        /// <summary>Ends the turn, if somebody is waiting, who finds in <see cref="TakePassed"/> what the one before has left; disposes of it when all who wait go away.</summary>
        /// <returns>False when nobody waits: the turn goes on.</returns>
        public bool TryPass(IAsyncDisposable thing) => queue.TryPass(line, thing);

        /// <summary>What the one before has passed on, once.</summary>
        public IAsyncDisposable? TakePassed()
        {
            var passed = line.Passed;
            line.Passed = null;
            return passed;
        }

        public void Dispose() => queue.Leave(key, line);
    }

    internal sealed class Line
    {
        private LinkedList<TaskCompletionSource>? _waiting;

        // Mostly nobody waits, and then there is no list.
        public LinkedList<TaskCompletionSource> Waiting => _waiting ??= [];

        public bool IsWaitedFor => _waiting is { Count: > 0 };

        public SessionRecord? Newest { get; set; }

        public IAsyncDisposable? Passed { get; set; }

        public TaskCompletionSource Next()
        {
            var next = Waiting.First!.Value;
            Waiting.RemoveFirst();
            return next;
        }
    }
}
