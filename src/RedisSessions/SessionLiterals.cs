using System.Diagnostics.CodeAnalysis;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// A session as a flat table of bytes, for code that knows no paths, such as ASP.NET Core's <c>ISession</c>: keys are those at the top, and a dot in them is a dot.
/// The same values, the same commit, the same conflicts: a key that was read here is guarded, and writers of different keys both survive.
/// </summary>
public sealed class SessionLiterals
{
    private readonly Session _session;

    internal SessionLiterals(Session session) => _session = session;

    /// <summary>The keys whose values have a form as bytes. Looking at all of them is no read that a decision rests on.</summary>
    public IReadOnlyCollection<string> Keys =>
        [.. _session.Work.View.Entries().Where(entry => !ReservedKeys.Contain(SessionPath.Literal(entry.Key)) && entry.Value.ToBytes() is not null).Select(entry => entry.Key)];

    /// <summary>
    /// A value as bytes: bytes as they are, a string in UTF-8, an integer of 32 bits in four bytes, big-endian, which is what <c>GetString</c> and <c>GetInt32</c> of
    /// <c>ISession</c> take them for.
    /// </summary>
    /// <param name="key">Taken literally.</param>
    /// <param name="value">A copy.</param>
    /// <returns>False when the key is missing, or its value is of another kind.</returns>
    public bool TryGet(string key, [NotNullWhen(true)] out byte[]? value)
    {
        var path = Literal(key);
        value = !ReservedKeys.Contain(path) && _session.Work.Read(path, out var stored) ? stored.ToBytes() : null;
        return value is not null;
    }

    /// <summary>Sets a value.</summary>
    /// <param name="key">Taken literally.</param>
    /// <param name="value">Copied now.</param>
    /// <exception cref="ArgumentException">The key is one of the two that the library keeps for itself, <c>_flash</c> and <c>_session</c>.</exception>
    /// <exception cref="InvalidOperationException">The session is read-only or destroyed.</exception>
    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _session.Write(new SetChange(Writable(key), SessionValue.From(value)));
    }

    /// <summary>Removes a key. Removing what is not there changes nothing, stores nothing and never fails: MVC's <c>TempData</c> does it on every page that looks at it.</summary>
    /// <param name="key">Taken literally.</param>
    /// <exception cref="InvalidOperationException">The key is there, and the session is read-only.</exception>
    public void Remove(string key)
    {
        var path = Literal(key);
        if (ReservedKeys.Contain(path))
            return;
        var present = _session.Work.View.TryGet(path, out _);
        if (present || _session.IsWritable)
            _session.Write(new RemoveChange(path) { HasEffect = present });
    }

    private static SessionPath Writable(string key)
    {
        var path = Literal(key);
        return ReservedKeys.Contain(path) ? throw Session.Reserved(key) : path;
    }

    private static SessionPath Literal(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return SessionPath.Literal(key);
    }
}
