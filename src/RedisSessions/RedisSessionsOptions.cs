using Microsoft.Extensions.Options;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// How sessions behave. Bound from the configuration section <c>Sessions</c>, which has the last word over what code sets, and
/// validated when the application starts.
/// </summary>
public sealed class RedisSessionsOptions
{
    internal const int LargestSize = 64 * 1024 * 1024;

    /// <summary>The configuration section: <c>Sessions</c>.</summary>
    public const string Section = "Sessions";

    /// <summary>The name of the handler to use. Default: the only one that was added, else <c>file</c>.</summary>
    public string? Handler { get; set; }

    /// <summary>
    /// The name of another handler, whose sessions are still good: one that <see cref="Handler"/> does not know is looked for there, moves on its first write, and
    /// is deleted there. Default: none.
    /// </summary>
    public string? ReadThrough { get; set; }

    /// <summary>A session that is not used for this long ends. Each request moves the deadline. Default: 20 minutes; 1 second to 365 days.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// A session ends this long after its creation, however busy it is. Default: 12 hours; at least <see cref="IdleTimeout"/>, at most
    /// 3650 days.
    /// </summary>
    public TimeSpan AbsoluteTimeout { get; set; } = TimeSpan.FromHours(12);

    /// <summary>The largest payload of a session in bytes, with its index if it has one. Default: 1,048,576 (1 MiB); 1,024 to 64 MiB.</summary>
    public int MaxSize { get; set; } = 1024 * 1024;

    /// <summary>
    /// Where a session says whose it is, in dot notation: a string or an integer there becomes the record's <see cref="SessionRecord.UserId"/>, which handlers
    /// with an index find sessions by. Default: <c>account.current_user_id</c>.
    /// </summary>
    public string UserKey { get; set; } = "account.current_user_id";

    /// <summary>What happens to a conflict that replaying cannot resolve. Default: <see cref="ConflictBehavior.Reject"/>.</summary>
    public ConflictBehavior OnConflict { get; set; }

    /// <summary>What happens when the store cannot be read. Default: <see cref="StoreFailureBehavior.Fail"/>.</summary>
    public StoreFailureBehavior OnStoreFailure { get; set; }

    /// <summary>
    /// How long the old id leads to the new one after <c>RegenerateId(false)</c>, so that requests already on their way land in the same
    /// session. Default: 30 seconds; 1 second to 2 minutes.
    /// </summary>
    public TimeSpan RotationGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often expired sessions are collected from a store that does not expire by itself; spread over half as much again, so that instances do not do it
    /// together. Default: 10 minutes; 1 second to 1 day.
    /// </summary>
    public TimeSpan CollectEvery { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>What an endpoint that does not say so itself does with the session. Default: <see cref="SessionAccess.Optimistic"/>.</summary>
    public SessionAccess DefaultAccess { get; set; }

    /// <summary>
    /// How long the lease of an exclusive request lasts if its process dies; while it lives, the lease is renewed at a third of this. Default: 10 seconds; 1 second to
    /// 5 minutes.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an exclusive request waits for its turn before it is answered <see cref="SessionBusyException"/> (HTTP 503). Default: 30 seconds; 100 ms to 5 minutes.</summary>
    public TimeSpan LeaseWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many exclusive requests of one session wait in one instance at most; one more is answered <see cref="SessionBusyException"/> (HTTP 503) at once. Default:
    /// 100; 0 to 10,000.
    /// </summary>
    public int MaxWaiters { get; set; } = 100;

    /// <summary>How often one commit is tried before a conflict is given up. Default: 1,000, so that <see cref="CommitTimeout"/> decides; 1 to 10,000.</summary>
    public int CommitTries { get; set; } = 1_000;

    /// <summary>How long one commit may take in all, waiting included. Default: 10 seconds; 100 ms to 5 minutes.</summary>
    public TimeSpan CommitTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long an instance that is told to stop goes on answering while its readiness check already fails, so that the balancer sends nothing more when the server stops
    /// listening. Longer than the balancer needs to notice, and shorter than <c>HostOptions.ShutdownTimeout</c>, which covers it. Default: zero, because without a balancer
    /// that asks it would only make stopping slow; up to 5 minutes.
    /// </summary>
    public TimeSpan ShutdownDelay { get; set; }

    /// <summary>Sessions kept in the process for a moment. Off by default.</summary>
    public NearCacheOptions NearCache { get; set; } = new();
}

/// <summary>Refuses settings that cannot work, at start, naming the setting and its value.</summary>
internal sealed class RedisSessionsOptionsValidator(IEnumerable<SessionHandlerName> handlers) : IValidateOptions<RedisSessionsOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisSessionsOptions options)
    {
        List<string> errors = [];
        Range(nameof(options.IdleTimeout), options.IdleTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365));
        Range(nameof(options.AbsoluteTimeout), options.AbsoluteTimeout, options.IdleTimeout, TimeSpan.FromDays(3650));
        Range(nameof(options.MaxSize), options.MaxSize, 1024, RedisSessionsOptions.LargestSize);
        Range(nameof(options.RotationGrace), options.RotationGrace, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
        Range(nameof(options.CollectEvery), options.CollectEvery, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        Range(nameof(options.CommitTries), options.CommitTries, 1, 10_000);
        Range(nameof(options.CommitTimeout), options.CommitTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Range(nameof(options.LeaseDuration), options.LeaseDuration, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        Range(nameof(options.LeaseWait), options.LeaseWait, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Range(nameof(options.MaxWaiters), options.MaxWaiters, 0, 10_000);
        Range(nameof(options.ShutdownDelay), options.ShutdownDelay, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        if (options.NearCache.MaxStaleness != TimeSpan.Zero)
            Range("NearCache:MaxStaleness", options.NearCache.MaxStaleness, TimeSpan.FromSeconds(1), options.IdleTimeout / 10);
        if (options.NearCache.MaxStaleness != TimeSpan.Zero && options.ReadThrough is not null)
            errors.Add("Sessions:NearCache:MaxStaleness and Sessions:ReadThrough are both set: a session that moves between stores sends no message. Set MaxStaleness to 00:00:00 until ReadThrough is gone.");
        Range("NearCache:MaxBytes", options.NearCache.MaxBytes, 1024 * 1024, 64L * 1024 * 1024 * 1024);
        if (!Enum.IsDefined(options.DefaultAccess))
            errors.Add($"Sessions:DefaultAccess is {options.DefaultAccess}: it must be Optimistic, Exclusive, ReadOnly or None.");
        if (!SessionPath.TryParse(options.UserKey, out _))
            errors.Add($"Sessions:UserKey is \"{options.UserKey}\": it must be a key of a session, in dot notation.");
        if (!Enum.IsDefined(options.OnConflict))
            errors.Add($"Sessions:OnConflict is {options.OnConflict}: it must be Reject or LastWriteWins.");
        if (!Enum.IsDefined(options.OnStoreFailure))
            errors.Add($"Sessions:OnStoreFailure is {options.OnStoreFailure}: it must be Fail or Anonymous.");
        errors.AddRange(new SessionHandlerChoice(handlers).Errors(options));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);

        void Range<T>(string setting, T value, T least, T most) where T : IComparable<T>
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
                errors.Add($"Sessions:{setting} is {value}: it must be from {least} to {most}.");
        }
    }
}
