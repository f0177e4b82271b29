using Polly.CircuitBreaker;
using Polly.Timeout;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>What a failure of Redis means for the one who called: the one table of everything that is known to go wrong.</summary>
/// <param name="Reason">A short name for it, for metrics and logs; one of a few.</param>
/// <param name="Again">Whether the same command may succeed in a moment.</param>
/// <param name="MayBeApplied">Whether the server may have run the command all the same.</param>
/// <param name="Down">Whether reads fail too. Then it counts for the circuit; what only refuses writes does not, for reading goes on.</param>
/// <param name="Advice">What happened and what to do, in our own words: the server's may quote keys and arguments.</param>
internal sealed record RedisFailure(string Reason, bool Again, bool MayBeApplied, bool Down, string Advice)
{
    public static readonly RedisFailure NoConnection = new("no_connection", Again: true, MayBeApplied: false, Down: true,
        "there is no connection to a Redis that takes this command, so nothing was sent. Is it up, reachable from here, and a primary?");

    public static readonly RedisFailure ConnectionLost = new("connection_lost", Again: true, MayBeApplied: true, Down: true,
        "the connection was lost before the answer came. Is Redis up and reachable?");

    public static readonly RedisFailure Silent = new("timeout", Again: true, MayBeApplied: true, Down: true,
        "Redis did not answer in time. Is it up, reachable and not overloaded?");

    public static readonly RedisFailure Unauthenticated = new("auth", Again: false, MayBeApplied: false, Down: true,
        "Redis refuses the user or the password. Check them in Sessions:Redis:Configuration, or what Sessions:Redis:ConfigureClient provides.");

    public static readonly RedisFailure CircuitOpen = new("circuit_open", Again: false, MayBeApplied: false, Down: false,
        "Redis has been failing, so nothing was sent");

    private static readonly RedisFailure Other = new("other", Again: false, MayBeApplied: true, Down: false,
        "Redis answered with an error. Is this server able and allowed to run scripts?");

    /// <summary>By the first word of the server's answer. None of them ran, unless it says so: servers refuse before they run, and our scripts compare before they write.</summary>
    private static readonly Dictionary<string, RedisFailure> Answers = new(StringComparer.Ordinal)
    {
        ["READONLY"] = Refused("readonly", again: true, "this server is a replica and takes no writes. After a failover that ends by itself; else point Sessions:Redis:Configuration at the primary."),
        ["LOADING"] = Refused("loading", again: true, "Redis has just started and is loading its data.", down: true),
        ["CLUSTERDOWN"] = Refused("cluster_down", again: true, "the cluster does not serve this slot: a primary is gone and no replica has taken over.", down: true),
        ["MASTERDOWN"] = Refused("master_down", again: true, "this is a replica that has lost its primary and does not answer with old data (replica-serve-stale-data no).", down: true),
        ["TRYAGAIN"] = Refused("try_again", again: true, "the slot of this session is on its way to another node."),
        ["NOREPLICAS"] = Refused("no_replicas", again: true, "the primary has fewer good replicas than min-replicas-to-write and takes no writes."),
        ["MOVED"] = Refused("moved", again: true, "the slot of this session has moved to another node, and the client has not followed yet."),
        ["ASK"] = Refused("moved", again: true, "the slot of this session is on its way to another node, and the client has not followed yet."),
        ["BUSY"] = Refused("busy", again: true, "Redis is busy with a script of somebody's that does not end (SCRIPT KILL ends one that has written nothing).", down: true),
        ["NOSCRIPT"] = Refused("no_script", again: true, "Redis has forgotten its scripts and was not taught them again."),
        ["MISCONF"] = Refused("misconf", again: false, "Redis cannot save to disk and takes no writes (stop-writes-on-bgsave-error). Look at its log and at its disk."),
        ["OOM"] = Refused("oom", again: false, "Redis has reached maxmemory and takes nothing new; reading and ending sessions still works. Give it more memory."),
        ["NOAUTH"] = Unauthenticated,
        ["WRONGPASS"] = Unauthenticated,
        ["NOPERM"] = Refused("no_permission", again: false, "the Redis user may not run this command on this key or channel. The rights that sessions need are in docs/security.md."),
        ["WRONGTYPE"] = Refused("wrong_type", again: false, "under the name of the session there is something else than a session. Who else uses Sessions:Redis:KeyPrefix?"),
        ["CROSSSLOT"] = Refused("cross_slot", again: false, "the server wants all keys of a script in one slot; the scripts of sessions have one key each."),
    };

    private static readonly (string Text, RedisFailure Failure)[] Sentences =
    [
        ("max number of clients", Refused("max_clients", again: true, "Redis has as many clients as maxclients allows.", down: true)),
        ("unknown command", Refused("unknown_command", again: false, "this server does not know a command that sessions need: Redis 6.2, Valkey or Garnet with scripts (--lua) do.")),
        ("operation not permitted", Unauthenticated),
    ];

    /// <summary>What an exception of the client, or of the pipeline, means. Null: it is none of Redis's.</summary>
    public static RedisFailure? Of(Exception exception) => exception switch
    {
        RedisServerException server => OfAnswer(server.Message),
        RedisConnectionException connection => OfConnection(connection),
        RedisTimeoutException timeout => timeout.Commandstatus is CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog ? NoConnection : Silent,
        // What the client itself does not send: it may know a replica only, just now.
        RedisCommandException command when command.Message.Contains("replica", StringComparison.Ordinal) =>
            Answers["READONLY"] with { Advice = "the client knows replicas only. Is there a primary?" },
        RedisCommandException => Other with { MayBeApplied = false },
        BrokenCircuitException => CircuitOpen,
        TimeoutRejectedException or TimeoutException => Silent,
        // The connection is being disposed, by the application that made it or at the end of the process.
        ObjectDisposedException => NoConnection with { Again = false },
        RedisException => Other,
        _ => null,
    };

    /// <summary>Whether the server does not have a script. Nothing has been run then.</summary>
    public static bool IsScriptMissing(string message) => Unwrap(message).StartsWith("NOSCRIPT", StringComparison.Ordinal);

    /// <summary>By the server's own words, also as Garnet and scripts of Redis before 7 wrap them.</summary>
    public static RedisFailure OfAnswer(string message)
    {
        var words = Unwrap(message);
        var end = words.IndexOf(' ', StringComparison.Ordinal);
        if (Answers.TryGetValue(end < 0 ? words : words[..end], out var failure))
            return failure;
        foreach (var (text, known) in Sentences)
        {
            if (words.StartsWith(text, StringComparison.OrdinalIgnoreCase))
                return known;
        }

        return Other;
    }

    private static RedisFailure OfConnection(RedisConnectionException e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure })
                return Unauthenticated;
        }

        return e.CommandStatus is CommandStatus.WaitingToBeSent or CommandStatus.WaitingInBacklog
            || e.FailureType is ConnectionFailureType.UnableToResolvePhysicalConnection or ConnectionFailureType.UnableToConnect
                ? NoConnection
                : ConnectionLost;
    }

    private static string Unwrap(string message)
    {
        const string generic = "ERR ", garnet = "Lua encountered an error: ", script = "Error running script", place = "@user_script:";
        var words = message.StartsWith(generic, StringComparison.Ordinal) ? message[generic.Length..] : message;
        if (words.StartsWith(garnet, StringComparison.Ordinal))
            return words[garnet.Length..];
        if (!words.StartsWith(script, StringComparison.Ordinal))
            return words;
        // Redis 6: Error running script (call to f_…): @user_script:12: @user_script: 12: -READONLY You can't …
        var at = words.LastIndexOf(place, StringComparison.Ordinal);
        return at < 0 ? words : words[(at + place.Length)..].TrimStart(" 0123456789:-".ToCharArray());
    }

    private static RedisFailure Refused(string reason, bool again, string advice, bool down = false) => new(reason, again, MayBeApplied: false, down, advice);
}
