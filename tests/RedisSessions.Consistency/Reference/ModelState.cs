using System.Collections.Immutable;
using Map = System.Collections.Immutable.ImmutableSortedDictionary<string, object?>;

namespace RedisSessions.Consistency.Reference;

/// <summary>That a path was flashed.</summary>
/// <param name="By">The number of the request that flashed it, or kept it last.</param>
/// <param name="IsUncertain">Whether it was changed when it may have been gone already: then it may be there or not from now on.</param>
internal readonly record struct FlashMark(int By, bool IsUncertain = false);

/// <summary>All that is stored for one session. Immutable.</summary>
internal sealed record ModelState
{
    /// <summary>A session in which nothing was stored yet.</summary>
    public static ModelState Empty { get; } = new();

    /// <summary>Whether the session is stored at all.</summary>
    public bool Exists { get; init; }

    /// <summary>The values, by path.</summary>
    public Map Values { get; init; } = Tree.Empty;

    /// <summary>Literal keys that hold a dot. They live apart: a literal and a path never meet.</summary>
    public Map Literals { get; init; } = Tree.Empty;

    /// <summary>Which paths are flashed.</summary>
    public ImmutableSortedDictionary<string, FlashMark> Flashed { get; init; } =
        ImmutableSortedDictionary<string, FlashMark>.Empty.WithComparers(StringComparer.Ordinal);

    /// <summary>The session's own idle timeout in seconds; null for the configured one.</summary>
    public long? IdleTimeout { get; init; }

    /// <summary>The session's own absolute timeout in seconds; null for the configured one.</summary>
    public long? AbsoluteTimeout { get; init; }

    /// <summary>Whether the cookie outlives the browser.</summary>
    public bool IsPersistent { get; init; }

    /// <summary>A hash of everything.</summary>
    public ulong Hash()
    {
        var hash = Tree.Mix(Tree.Hash(Values), Tree.Hash(Literals));
        foreach (var (path, mark) in Flashed)
            hash = Tree.Mix(hash, Tree.Mix(Tree.Hash(path), (ulong)((mark.By << 1) + (mark.IsUncertain ? 1 : 0))));
        return Tree.Mix(Tree.Mix(hash, (ulong)(IdleTimeout ?? -1)), Tree.Mix((ulong)(AbsoluteTimeout ?? -1), IsPersistent ? 1UL : 0UL));
    }

    /// <summary>The state without the flashed paths that a test picks, and without their values.</summary>
    public ModelState Age(Func<string, FlashMark, bool> goes)
    {
        var state = this;
        foreach (var (path, mark) in Flashed)
        {
            if (goes(path, mark))
                state = state.WithoutFlashed(path);
        }
        return state;
    }

    /// <summary>The state with flashed paths that a test picks marked as uncertain.</summary>
    public ModelState WithUncertain(Func<string, FlashMark, bool> which)
    {
        var flashed = Flashed;
        foreach (var (path, mark) in Flashed)
        {
            if (!mark.IsUncertain && which(path, mark))
                flashed = flashed.SetItem(path, mark with { IsUncertain = true });
        }
        return ReferenceEquals(flashed, Flashed) ? this : this with { Flashed = flashed };
    }

    /// <summary>The state without one flashed path and its value.</summary>
    public ModelState WithoutFlashed(string path) => this with
    {
        Flashed = Flashed.Remove(path),
        Values = (Map)Tree.Without(Values, Tree.Split(path).AsSpan())!,
    };
}
