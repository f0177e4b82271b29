namespace RedisSessions.Consistency.History;

/// <summary>What a search overlooks. If a history is in order without one promise, that promise is what it breaks.</summary>
internal sealed record Relaxation
{
    /// <summary>Nothing is overlooked.</summary>
    public static Relaxation None { get; } = new();

    /// <summary>Reads may be as old as the session.</summary>
    public bool OldReads { get; init; }

    /// <summary>... also for the browser that wrote.</summary>
    public bool OldOwnReads { get; init; }

    /// <summary>Answers of updates that only act on the id, a lifetime or the end.</summary>
    public bool ActingUpdates { get; init; }

    /// <summary>Answers of looks at everything in plain code that writes.</summary>
    public bool WholeReads { get; init; }

    /// <summary>Answers that plain code had before an update, at its next commit.</summary>
    public bool CarriedReads { get; init; }

    /// <summary>Flashed values may be gone at any time.</summary>
    public bool VanishingFlash { get; init; }

    /// <summary>Answers about flashed paths.</summary>
    public bool FlashReads { get; init; }

    /// <summary>A literal key with the text of a path wins over it.</summary>
    public bool LiteralWins { get; init; }
}
