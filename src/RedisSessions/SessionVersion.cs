using System.Globalization;

namespace RedisSessions;

/// <summary>Counts the commits of a record, from 1. A commit names the version it started from; the store compares.</summary>
/// <param name="Value">The count; 0 means that there is no record.</param>
public readonly record struct SessionVersion(ulong Value)
{
    /// <summary>No record: a commit that expects this creates, and never overwrites.</summary>
    public static SessionVersion None => default;

    /// <summary>The version after this one.</summary>
    public SessionVersion Next() => new(checked(Value + 1));

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
