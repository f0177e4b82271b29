namespace RedisSessions.Locking;

/// <summary>
/// Within one process the commits of one session queue up instead of racing in the store. Courtesy, not safety: safety is the version.
/// </summary>
/// <param name="wake">How the next in line goes on: by default not on the stack of the one that leaves.</param>
internal sealed class CommitQueue(TaskCreationOptions wake = TaskCreationOptions.RunContinuationsAsynchronously)
{
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
        EnterAsync(key, wait, int.MaxValue, time, cancellationToken);

    /// <summary>Waits for this session's turn.</summary>
    /// <returns>The turn, which ends when disposed; null when it did not come in time, or at once when <paramref name="maxWaiting"/> are waiting already.</returns>
    public ValueTask<Turn?> EnterAsync(SessionKey key, TimeSpan wait, int maxWaiting, TimeProvider time, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_lines.TryGetValue(key, out var line))
            {
                if (line.Waiting.Count >= maxWaiting)
                    return default;
                var mine = new TaskCompletionSource(wake);
                return WaitAsync(key, line, line.Waiting.AddLast(mine), wait, time, cancellationToken);
            }

            _lines.Add(key, line = new Line());
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
            if (handedOver)
                Leave(key, line);
            if (e is OperationCanceledException)
                throw;
            return null;
        }
    }

    private void Leave(SessionKey key, Line line)
    {
        TaskCompletionSource? next = null;
        lock (_lock)
        {
            if (line.Waiting.First is { } first)
            {
                next = first.Value;
                line.Waiting.RemoveFirst();
            }
            else
            {
                _lines.Remove(key);
            }
        }

        next?.SetResult();
    }

    /// <summary>The right to commit to one session from this process.</summary>
    public sealed class Turn(CommitQueue queue, SessionKey key, Line line) : IDisposable
    {
        public SessionKey Key => key;

        /// <summary>The newest record that anybody in this line has seen: who waited need not go to the store to learn that they are late.</summary>
        public SessionRecord? Newest
        {
            get => line.Newest;
            set => line.Newest = value;
        }

        public void Dispose() => queue.Leave(key, line);
    }

    internal sealed class Line
    {
        public LinkedList<TaskCompletionSource> Waiting { get; } = [];

        public SessionRecord? Newest { get; set; }
    }
}
