using System.Runtime.ExceptionServices;
using Polly;

namespace RedisSessions.Redis;

/// <summary>One call through all its tries: what is known of it so far.</summary>
internal sealed class RedisOperation(int tries, long started)
{
    private ExceptionDispatchInfo? _first;
    private bool _sending;
    private int _lostAnswers;

    public static ResiliencePropertyKey<RedisOperation> Property { get; } = new("RedisSessions.Operation");

    /// <summary>When it began, as a timestamp of the clock.</summary>
    public long Started { get; } = started;

    /// <summary>Whether the server may have run an earlier try whose answer never came.</summary>
    public bool MayBeApplied { get; private set; }

    /// <summary>Why the last try failed; null when it did not fail because of Redis.</summary>
    public RedisFailure? Failure { get; private set; }

    /// <summary>What the client said of it, or of the last try that it said something of.</summary>
    public Exception? Cause { get; private set; }

    /// <summary>What never reached the server, or was refused, costs nothing to repeat until time is up. What may have arrived is sent so many times and no more.</summary>
    public bool Again => Failure is { Again: true } failure && (!failure.MayBeApplied || _lostAnswers < tries);

    /// <summary>The first try has failed before the pipeline began.</summary>
    public void FirstFailed(Exception e)
    {
        Failed(e);
        _first = ExceptionDispatchInfo.Capture(e);
    }

    /// <summary>To the pipeline that try is one of its own.</summary>
    public void RepeatFirst() => Interlocked.Exchange(ref _first, null)?.Throw();

    public void Begin() => (_sending, Failure) = (false, null);

    public void Sending() => _sending = true;

    public void Failed(Exception e) => Failed(RedisFailure.Of(e), e);

    /// <summary>What comes before this command has failed, so this one was not sent.</summary>
    public void FailedBefore(Exception e) => Failed(RedisFailure.Of(e) is { } failure ? failure with { MayBeApplied = false } : null, e);

    /// <summary>The time of a try is up. Without a connection it has only waited for one; else the bytes may have gone, and no answer means no knowledge.</summary>
    public void TimedOut(RedisFailure waiting) => Failed(_sending ? RedisFailure.Silent : waiting, null);

    private void Failed(RedisFailure? failure, Exception? cause)
    {
        (Failure, Cause) = (failure, cause ?? Cause);
        if (failure is { MayBeApplied: true })
        {
            MayBeApplied = true;
            _lostAnswers++;
        }
    }
}
