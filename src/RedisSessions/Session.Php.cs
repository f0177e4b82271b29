using RedisSessions.Values;

namespace RedisSessions;

// What only PHP can read: it is there, it is written back as it is, and it is nothing here.
public sealed partial class Session
{
    private bool HoldsForeign => Base is { HoldsForeign: true };

    private bool Find(string key, out SessionValue value)
    {
        var path = SessionPath.Parse(key);
        return Work.Read(path, out value) || IsMissing(path);
    }

    /// <returns>False, always: there is nothing at this path.</returns>
    /// <exception cref="InvalidCastException">Whether there is, only PHP can tell.</exception>
    private bool IsMissing(SessionPath path) => HoldsForeign && ForeignAround(path) is { } foreign ? throw PhpAlone(foreign) : false;

    /// <summary>The key at the top that a path leads into, if what is there is PHP's alone.</summary>
    private string? ForeignAround(SessionPath path)
    {
        var position = 0;
        return path.HasDots && !Work.View.HasLiteral(path) && path.TryNext(ref position, out var first) && first.Length > 0
            && Work.View.TryGet(SessionPath.Parse(first.ToString()), out var value) && value.Kind == SessionValueKind.Foreign
                ? first.ToString()
                : null;
    }

    private System.Collections.ObjectModel.ReadOnlyDictionary<string, object?> AllButForeign() => Work.View.Entries()
        .Where(static entry => entry.Value.Kind != SessionValueKind.Foreign && !ReservedKeys.Contain(SessionPath.Literal(entry.Key)))
        .ToDictionary(static entry => entry.Key, static entry => entry.Value.ToObject(), StringComparer.Ordinal).AsReadOnly();

    private static InvalidCastException PhpAlone(string key) => new(
        $"The session value '{key}' holds a PHP object, enum or reference, or shares a value with one: only PHP can read it. It is kept as it is.");
}
