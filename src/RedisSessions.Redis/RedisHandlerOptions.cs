using System.Globalization;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace RedisSessions;

/// <summary>How sessions reach Redis. Bound from the configuration section <c>Sessions:Redis</c>, which has the last word, and validated at start.</summary>
public sealed class RedisHandlerOptions
{
    /// <summary>The configuration section: <c>Sessions:Redis</c>.</summary>
    public const string Section = "Sessions:Redis";

    /// <summary>
    /// Where Redis is, as StackExchange.Redis writes it: <c>host:port,password=…,ssl=true</c>. Default: none. What it does not mention is tuned for sessions:
    /// reconnecting within 100 ms to 1 s, start without a server, nothing queued while there is no connection.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// What the names of all keys begin with. Default: <c>session:</c>; with <see cref="SessionLayout.Php"/> what phpredis has by default, <c>PHPREDIS_SESSION:</c>; with
    /// <see cref="SessionLayout.Laravel"/> none: it is <c>database.redis.options.prefix</c> and <c>cache.prefix</c> together. May be empty, at most 200 characters.
    /// </summary>
    public string KeyPrefix
    {
        get => _keyPrefix ?? (Layout == SessionLayout.Php ? "PHPREDIS_SESSION:" : "session:");
        set => _keyPrefix = value;
    }

    private string? _keyPrefix;

    internal bool HasKeyPrefix => _keyPrefix is not null;

    /// <summary>
    /// Whose records are in this Redis. Default: this library's own. <see cref="SessionLayout.Php"/> is the handler of phpredis, <see cref="SessionLayout.Laravel"/> Laravel's drivers
    /// <c>redis</c> and <c>cache</c>; ids then stand in the store as they are. See <c>docs/php.md</c>.
    /// </summary>
    public SessionLayout Layout { get; set; }

    /// <summary>How PHP encodes sessions, where it is not as the <see cref="Layout"/> has it: <c>session.serialize_handler</c> in php.ini. Default: as the layout has it.</summary>
    public PhpSessionFormat? PhpFormat { get; set; }

    /// <summary>
    /// Whether a commit waits for a request of PHP that has the session's lock, and PHP for an exclusive request here: <c>redis.session.locking_enabled</c> of phpredis. Costs nothing
    /// where PHP takes no locks. Default: true; false on a cluster, where the lock may be on another server than the session.
    /// </summary>
    public bool PhpLock { get; set; } = true;

    /// <summary>How long a commit waits for a request of PHP, see <see cref="PhpLock"/>, until it fails (503). Default: 10 seconds; 100 ms to 5 minutes.</summary>
    public TimeSpan PhpLockWait { get; set; } = TimeSpan.FromSeconds(10);

    internal PhpSessionFormat? PhpFormatInUse => Layout switch
    {
        SessionLayout.Standard => null,
        SessionLayout.Laravel => PhpFormat ?? PhpSessionFormat.SerializedString,
        _ => PhpFormat ?? PhpSessionFormat.Php,
    };

    /// <summary>
    /// How long a call (a read, a commit, a delete) may take with all its tries, waiting for a connection included. Default: 3 seconds, which covers a restart of Redis
    /// and little more than a failover, and is what a visitor waits before the 503; 100 ms to 5 minutes.
    /// </summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long one try may take before it counts as lost and the next one begins. Default: 1 second: far more than Redis takes, and short enough for two or three in
    /// <see cref="Timeout"/>; 50 ms to <see cref="Timeout"/>. Also the client's own <c>asyncTimeout</c>, where the configuration sets none: it ends
    /// a try, up to 250 ms late, and after four times as long without a byte the client makes a new connection.
    /// </summary>
    public TimeSpan TryTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often a command is sent when its answers get lost. Default: 3; 1 to 10. What was never sent, and what the server refuses for a moment (a failover, loading),
    /// is tried for as long as <see cref="Timeout"/> allows. Sent again, a commit counts once: it carries its id.
    /// </summary>
    public int Tries { get; set; } = 3;

    /// <summary>When calls are to fail at once instead of waiting for a Redis that is down.</summary>
    public RedisBreakerOptions Breaker { get; set; } = new();

    /// <summary>
    /// The last word on the settings of the client, in code: certificates (<c>CertificateValidation</c>, <c>CertificateSelection</c>), or a password that changes
    /// (<c>Defaults</c>, which is asked anew for each connection). Called once, before the first connection; not for a connection that was given to <c>AddRedis</c>.
    /// Default: none.
    /// </summary>
    public Func<ConfigurationOptions, Task>? ConfigureClient { get; set; }

    /// <summary>
    /// How long a read leaves the idle deadline of a session where it is, once this process has moved it: such a read is a <c>GET</c>, which no replica and no append-only file hears of.
    /// A session then lives for its idle timeout after its last request, and for up to this much longer; the sessions of a user are listed as used when their deadline was last moved.
    /// A session with an idle timeout of its own goes by that as ever. The same on all instances. Default: zero, each read moves the deadline; up to an hour, a tenth of the idle timeout is a good value.
    /// </summary>
    public TimeSpan TouchInterval { get; set; }

    /// <summary>
    /// How many replicas must have a commit before it counts (<c>WAIT</c>). Fewer within <see cref="ReplicaTimeout"/>: the commit fails as one whose outcome is unknown (503),
    /// for it is stored on the primary and may be lost in a failover. Default: 0, nobody is waited for; at most 100. It makes loss rarer and does not exclude it: a replica
    /// that has nothing may still be promoted. <c>WAIT</c> holds up the connection that all sessions of the process share, reads too, for as long as it lasts.
    /// </summary>
    public int MinReplicas { get; set; }

    /// <summary>How long replicas are waited for, see <see cref="MinReplicas"/>. Default: 200 ms; 1 ms to half of <see cref="TryTimeout"/>, because a commit may have to wait for the turn before it.</summary>
    public TimeSpan ReplicaTimeout { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether a server that has lost an update in the self-test keeps the application from starting. Default: true.</summary>
    public bool SelfTest { get; set; } = true;
}

/// <summary>Refuses settings that cannot work, at start, naming the setting and its value.</summary>
internal sealed class RedisHandlerOptionsValidator : IValidateOptions<RedisHandlerOptions>
{
    public ValidateOptionsResult Validate(string? name, RedisHandlerOptions options)
    {
        List<string> errors = [];
        if (options.Configuration is { } configuration)
        {
            try
            {
                if (ConfigurationOptions.Parse(configuration).EndPoints.Count == 0)
                    errors.Add("Sessions:Redis:Configuration names no server: it must be \"host:port\", with options after commas.");
            }
            catch (ArgumentException e)
            {
                // The string may hold a password: name the setting, and what the client says of it.
                errors.Add($"Sessions:Redis:Configuration cannot be read: {e.Message}");
            }
        }

        if (options.KeyPrefix is null || options.KeyPrefix.Length > 200)
            errors.Add($"Sessions:Redis:KeyPrefix has {options.KeyPrefix?.Length ?? 0} characters: it must be set and have at most 200.");
        if (options.Layout is not (SessionLayout.Standard or SessionLayout.Php or SessionLayout.Laravel))
            errors.Add($"Sessions:Redis:Layout is {options.Layout}: it must be Standard, Php or Laravel. UserFrosting keeps sessions in files or in a database.");
        if (options is { Layout: SessionLayout.Laravel, HasKeyPrefix: false })
            errors.Add("Sessions:Redis:Layout is Laravel and Sessions:Redis:KeyPrefix is not set: it must be Laravel's database.redis.options.prefix and cache.prefix together.");
        if (options.PhpFormat is { } format && !Enum.IsDefined(format))
            errors.Add($"Sessions:Redis:PhpFormat is {format}: it must be Php, PhpSerialize or SerializedString.");
        Check(errors, nameof(options.PhpLockWait), options.PhpLockWait, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        if (options.Layout != SessionLayout.Standard && options.MinReplicas > 0)
            errors.Add($"Sessions:Redis:MinReplicas is {options.MinReplicas} and Sessions:Redis:Layout is {options.Layout}: PHP waits for no replicas, so nothing would be safer. Set MinReplicas to 0.");
        if (options.Layout != SessionLayout.Standard && options.TouchInterval > TimeSpan.Zero)
            errors.Add($"Sessions:Redis:TouchInterval is {options.TouchInterval} and Sessions:Redis:Layout is {options.Layout}: PHP moves the deadline at each request, so both have to. Set TouchInterval to 00:00:00.");
        Check(errors, nameof(options.TouchInterval), options.TouchInterval, TimeSpan.Zero, TimeSpan.FromHours(1));
        if (options.Tries is < 1 or > 10)
            errors.Add($"Sessions:Redis:Tries is {options.Tries}: it must be from 1 to 10.");
        Check(errors, nameof(options.Timeout), options.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5));
        Check(errors, nameof(options.TryTimeout), options.TryTimeout, TimeSpan.FromMilliseconds(50), options.Timeout);
        if (options.MinReplicas is < 0 or > 100)
            errors.Add($"Sessions:Redis:MinReplicas is {options.MinReplicas}: it must be from 0 to 100.");
        if (options.MinReplicas > 0)
            Check(errors, nameof(options.ReplicaTimeout), options.ReplicaTimeout, TimeSpan.FromMilliseconds(1), options.TryTimeout / 2);
        if (options.Breaker is not { } breaker)
            return ValidateOptionsResult.Fail([.. errors, "Sessions:Redis:Breaker is not set."]);
        if (breaker.FailureRatio is not (> 0 and <= 1))
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"Sessions:Redis:Breaker:FailureRatio is {breaker.FailureRatio}: it must be above 0 and at most 1."));
        if (breaker.MinimumThroughput is < 2 or > 10_000)
            errors.Add($"Sessions:Redis:Breaker:MinimumThroughput is {breaker.MinimumThroughput}: it must be from 2 to 10000.");
        Check(errors, "Breaker:SamplingDuration", breaker.SamplingDuration, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(5));
        Check(errors, "Breaker:BreakDuration", breaker.BreakDuration, TimeSpan.FromSeconds(0.5), TimeSpan.FromMinutes(1));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Check(List<string> errors, string setting, TimeSpan value, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"Sessions:Redis:{setting} is {value}: it must be from {least} to {most}."));
    }
}
