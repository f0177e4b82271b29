namespace RedisSessions.TestServers;

/// <summary>What a client sends through a <see cref="FaultProxy"/>: a command of Redis, or in plain mode some bytes.</summary>
/// <param name="Name">In capitals; in plain mode empty.</param>
/// <param name="Number">How many commands of this kind have come by, over all connections, from 1. EVAL and EVALSHA are one kind.</param>
/// <param name="Text">The bytes as Latin-1; in plain mode a statement, or a part of one.</param>
public sealed record ProxiedCommand(string Name, int Number, Lazy<string> Text)
{
    public bool IsScript => Name is "EVAL" or "EVALSHA";
}

/// <summary>What becomes of a command. In all cases but <see cref="Refused"/> and <see cref="Unknown"/> the server runs it.</summary>
public abstract record Fault
{
    private Fault() { }

    /// <summary>No fault.</summary>
    public static Fault None { get; } = new Nothing();

    /// <summary>The server runs it; instead of the answer the client gets the end of the connection.</summary>
    public static Fault CutReply { get; } = new Cut(Inside: false);

    /// <summary>The server runs it; the client gets the first half of the answer's bytes and then the end of the connection.</summary>
    public static Fault CutInsideReply { get; } = new Cut(Inside: true);

    /// <summary>The server runs it; the connection stays open and nothing more comes from it, ever.</summary>
    public static Fault SwallowReply { get; } = new Swallow();

    /// <summary>The server runs it; the client learns that nothing more will come (a FIN), and what it sends still arrives and runs.</summary>
    public static Fault HalfClose { get; } = new Half();

    /// <summary>The connection ends and the server never sees the command.</summary>
    public static Fault Refused { get; } = new Refuse();

    /// <summary>The server gets it under a name that it does not know, and says so. Not in plain mode.</summary>
    public static Fault Unknown { get; } = new Misspell();

    /// <summary>The command, and all behind it on this connection, waits.</summary>
    public static Fault HoldUntil(Task released) => new Hold(released, HangUp: false);

    /// <summary>The client's connection ends at once; the command still reaches the server, later: bytes on their way in a network.</summary>
    public static Fault ArriveLate(Task released) => new Hold(released, HangUp: true);

    /// <summary>The answer comes in small pieces, one after each pause.</summary>
    public static Fault DripReply(int bytes, TimeSpan pause) => new Drip(bytes, pause);

    internal sealed record Nothing : Fault;

    internal sealed record Cut(bool Inside) : Fault;

    internal sealed record Swallow : Fault;

    internal sealed record Half : Fault;

    internal sealed record Refuse : Fault;

    internal sealed record Misspell : Fault;

    internal sealed record Hold(Task Released, bool HangUp) : Fault;

    internal sealed record Drip(int Bytes, TimeSpan Pause) : Fault;
}
