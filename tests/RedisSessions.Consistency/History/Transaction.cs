using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>What can be placed in the order of a session's transactions.</summary>
internal enum Kind
{
    /// <summary>Changes something.</summary>
    Write,

    /// <summary>Changes nothing: some moment between the load of its request and its end.</summary>
    Read,

    /// <summary>Nothing is known but the script.</summary>
    Script,

    /// <summary>The store loses the last commits.</summary>
    Rollback,
}

/// <summary>One transaction of a session, as the search places it.</summary>
internal sealed record Transaction
{
    /// <summary>What it is.</summary>
    public required Kind Kind { get; init; }

    /// <summary>The request.</summary>
    public required string Request { get; init; }

    /// <summary>The number of the request among those of its session; also its browser's number, for its own reads.</summary>
    public required int Member { get; init; }

    /// <summary>The browser.</summary>
    public int Browser { get; init; } = -1;

    /// <summary>When its request began.</summary>
    public required long Began { get; init; }

    /// <summary>When its request ended.</summary>
    public required long Ended { get; init; }

    /// <summary>When its request was sent, in milliseconds.</summary>
    public long At { get; init; }

    /// <summary>Steps of plain code; their sums, and whether they removed something, are hints that may be old.</summary>
    public IReadOnlyList<Executed> Plain { get; init; } = [];

    /// <summary>Steps of an update: every answer is exact.</summary>
    public IReadOnlyList<Executed> Update { get; init; } = [];

    /// <summary>What plain code had read before an earlier update of its request: it counts as well.</summary>
    public IReadOnlyList<Executed> Carried { get; init; } = [];

    /// <summary>The top-level keys that those updates changed.</summary>
    public IReadOnlyCollection<string> CarriedExcept { get; init; } = [];

    /// <summary>What nobody saw: plain steps, and perhaps an update at the end.</summary>
    public IReadOnlyList<Step> Script { get; init; } = [];

    /// <summary>Whether it may be in the order or not.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Whether its request has committed before.</summary>
    public bool IsLater { get; init; }

    /// <summary>Whether its request may only read.</summary>
    public bool IsReadOnly { get; init; }

    /// <summary>The epoch whose id its request holds.</summary>
    public int Epoch { get; init; }

    /// <summary>The epoch that it begins, if it is a login.</summary>
    public int? NewEpoch { get; init; }

    /// <summary>Whether it ends the session.</summary>
    public bool Destroys { get; init; }

    /// <summary>The fate, for what was refused.</summary>
    public Fate Fate { get; init; }

    /// <summary>All steps that were executed.</summary>
    public IEnumerable<Executed> Steps => Plain.Concat(Update);

    /// <summary>Whether all it changes is the id, a lifetime or the end.</summary>
    public bool OnlyActs => Update.Count > 0
        && Steps.Where(executed => executed.Step.Writes()).All(executed => executed.Step.ActsOnTheWhole());

    /// <summary>The ids that it pushed to the list of commits.</summary>
    public IEnumerable<string> OrderIds => Steps
        .Where(executed => executed is { Step: { Op: Op.Push, Path: Generator.Order, Value: not null }, Answer: null })
        .Select(executed => executed.Step.Value!);
}
