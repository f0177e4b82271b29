namespace RedisSessions.TestServers;

/// <summary>A command that passes through a <see cref="FaultProxy"/>.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Number">How many commands of this kind have come by, over all connections, from 1. EVAL and EVALSHA are one kind.</param>
public sealed record ProxiedCommand(string Name, int Number)
{
    public bool IsScript => Name is "EVAL" or "EVALSHA";
}

/// <summary>What becomes of a command. In all cases but <see cref="Refused"/> the server runs it.</summary>
public abstract record Fault
{
    private Fault() { }

    /// <summary>No fault.</summary>
    public static Fault None { get; } = new Nothing();

    /// <summary>The server runs it; instead of the answer the client gets the end of the connection.</summary>
    public static Fault CutReply { get; } = new Cut();

    /// <summary>The server runs it; the connection stays open and nothing more comes from it, ever.</summary>
    public static Fault SwallowReply { get; } = new Swallow();

    /// <summary>The connection ends and the server never sees the command.</summary>
    public static Fault Refused { get; } = new Refuse();

    /// <summary>The command, and all behind it on this connection, waits.</summary>
    public static Fault HoldUntil(Task released) => new Hold(released, HangUp: false);

    /// <summary>The client's connection ends at once; the command still reaches the server, later: bytes on their way in a network.</summary>
    public static Fault ArriveLate(Task released) => new Hold(released, HangUp: true);

    internal sealed record Nothing : Fault;

    internal sealed record Cut : Fault;

    internal sealed record Swallow : Fault;

    internal sealed record Refuse : Fault;

    internal sealed record Hold(Task Released, bool HangUp) : Fault;
}
