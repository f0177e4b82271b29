namespace RedisSessions.Consistency.Simulation;

/// <summary>What can be wrong with a store or a handler on purpose: the judge must find it, or it is no judge.</summary>
internal enum StoreBug
{
    None,

    /// <summary>A commit replaces whatever version is there.</summary>
    OverwritesAnyVersion,

    /// <summary>A commit compares how many commits there were, as before format 2: a version that was wound back repeats.</summary>
    ComparesCountsOnly,

    /// <summary>A commit that creates replaces a record that is there.</summary>
    CreateOverwrites,

    /// <summary>A commit that expects a version takes a closed record for none, and makes a new one.</summary>
    UpdateCreates,

    /// <summary>Records do not keep the ids of their commits: a commit whose answer was lost does not find itself.</summary>
    ForgetsCommitIds,

    /// <summary>A closed record deletes what is there instead of being stored.</summary>
    DeletesInsteadOfClosing,

    /// <summary>A read answers with the record before the last commit, now and then.</summary>
    StaleRead,

    /// <summary>A conflict answers with the record before the last commit.</summary>
    StaleConflict,

    /// <summary>A commit is acknowledged and not stored, now and then.</summary>
    AcknowledgesAndDrops,

    /// <summary>A conflict after a lost answer is taken for the commit's own success.</summary>
    TakesConflictForSuccess,

    /// <summary>A commit that the store refuses is reported as a conflict and stored all the same, now and then.</summary>
    StoresWhatItRefuses,

    /// <summary>A record is answered under another key of the same store, now and then.</summary>
    MixesKeys,

    /// <summary>Nothing ever expires, closed or not, and what was closed becomes live again after a while.</summary>
    Resurrects,
}
