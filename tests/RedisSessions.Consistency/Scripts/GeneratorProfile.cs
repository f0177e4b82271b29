namespace RedisSessions.Consistency.Scripts;

/// <summary>How often each kind of operation comes; 0 leaves a kind out.</summary>
internal sealed record GeneratorProfile
{
    /// <summary>Values at paths: reads, sets, removes, increments.</summary>
    public int Values { get; init; } = 10;

    /// <summary>Lists, by push, prepend and number.</summary>
    public int Lists { get; init; } = 6;

    /// <summary>Literal keys (<c>ISession</c>).</summary>
    public int Literals { get; init; } = 2;

    /// <summary>Whether literal keys may have the text of a path that is used too.</summary>
    public bool LiteralsMeetPaths { get; init; } = true;

    /// <summary>Flash data.</summary>
    public int Flash { get; init; } = 2;

    /// <summary>Timeouts and persistence.</summary>
    public int Lifetimes { get; init; } = 1;

    /// <summary>Rotations.</summary>
    public int Rotation { get; init; } = 1;

    /// <summary>Logins.</summary>
    public int Login { get; init; } = 1;

    /// <summary>Logouts.</summary>
    public int Logout { get; init; } = 1;

    /// <summary>Updates among the steps of a request.</summary>
    public int Updates { get; init; } = 6;

    /// <summary>Early commits.</summary>
    public int Commits { get; init; } = 2;

    /// <summary>Commits and updates that are cancelled before they are sent.</summary>
    public int Cancelled { get; init; } = 1;

    /// <summary>Changes that are discarded.</summary>
    public int Discards { get; init; } = 1;

    /// <summary>Requests with read-only access.</summary>
    public int ReadOnly { get; init; } = 1;

    /// <summary>Operations that may be refused, caught.</summary>
    public int Caught { get; init; } = 1;

    /// <summary>Delegates that throw.</summary>
    public int Throws { get; init; } = 1;

    /// <summary>Work that takes time.</summary>
    public int Waits { get; init; } = 1;

    /// <summary>Looks at all values.</summary>
    public int All { get; init; } = 1;

    /// <summary>The share of writing transactions, in percent, that push their id to the list <c>order</c>.</summary>
    public int Order { get; init; } = 35;

    /// <summary>The most steps of a request.</summary>
    public int MaxSteps { get; init; } = 6;

    /// <summary>How many top-level keys there are; fewer make more conflicts.</summary>
    public int Keys { get; init; } = 4;

    /// <summary>The longest wait, in milliseconds.</summary>
    public int MaxWait { get; init; } = 50;
}
