namespace RedisSessions;

/// <summary>What a store answers to a commit: exactly one of the three cases below.</summary>
public abstract record CommitResult
{
    private CommitResult() { }

    /// <summary>The record is stored.</summary>
    public sealed record Committed : CommitResult
    {
        /// <summary>The one instance there is.</summary>
        public static Committed Instance { get; } = new();

        private Committed() { }
    }

    /// <summary>The version was not the expected one, and nothing was written.</summary>
    /// <param name="Current">The record that is there now: the same answer brings it, so a conflict costs no second read.</param>
    public sealed record Conflict(SessionRecord Current) : CommitResult;

    /// <summary>A version was expected, but no record is there any more, and nothing was written.</summary>
    public sealed record Gone : CommitResult
    {
        /// <summary>The one instance there is.</summary>
        public static Gone Instance { get; } = new();

        private Gone() { }
    }
}
