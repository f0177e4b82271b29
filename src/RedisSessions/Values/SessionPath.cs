namespace RedisSessions.Values;

/// <summary>
/// Where a value is: "a.b.0.c", or one literal key. The literal rule is Laravel's: when reading and removing, a key with dots that exists
/// as such at the top wins over the path.
/// </summary>
internal readonly record struct SessionPath
{
    private SessionPath(string text, bool isLiteral = false)
    {
        Text = text;
        IsLiteral = isLiteral;
    }

    public string Text { get; }

    /// <summary>One key at the top whose dots are dots, as code has it that knows no paths. A key without dots is a path as well, and is treated as one.</summary>
    public bool IsLiteral { get; }

    /// <summary>A key at the top, taken as it is; may be empty.</summary>
    public static SessionPath Literal(string key) => new(key, key.Length == 0 || key.Contains('.', StringComparison.Ordinal));

    /// <exception cref="ArgumentException">The key is empty, or has more levels than a session can nest.</exception>
    public static SessionPath Parse(string key)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (key.AsSpan().Count('.') >= Packed.MaxDepth - 1)
            throw new ArgumentException($"A session key has at most {Packed.MaxDepth - 1} levels.", nameof(key));
        return new SessionPath(key);
    }

    public static bool TryParse(string? key, out SessionPath path)
    {
        var isPath = !string.IsNullOrEmpty(key) && key.AsSpan().Count('.') < Packed.MaxDepth - 1;
        path = isPath ? new SessionPath(key!) : default;
        return isPath;
    }

    public bool HasDots => !IsLiteral && Text.Contains('.', StringComparison.Ordinal);

    /// <summary>How many maps or lists there are around what stands here.</summary>
    public int Levels => IsLiteral ? 1 : Text.AsSpan().Count('.') + 1;

    /// <summary>The next segment, from the position after the one before; the first is at 0.</summary>
    /// <returns>False after the last one.</returns>
    public bool TryNext(scoped ref int position, out ReadOnlySpan<char> segment)
    {
        segment = default;
        if (position > Text.Length)
            return false;
        segment = Text.AsSpan(position);
        var length = segment.IndexOf('.');
        segment = length < 0 ? segment : segment[..length];
        position += segment.Length + 1;
        return true;
    }

    /// <summary>What is around this place, if the place has a number as elements of lists have; it may be a map with such a key.</summary>
    public bool TryGetListAround(out SessionPath list)
    {
        var dot = IsLiteral ? -1 : Text.LastIndexOf('.');
        var isElement = dot > 0 && dot < Text.Length - 1 && !Text.AsSpan(dot + 1).ContainsAnyExceptInRange('0', '9');
        list = isElement ? new SessionPath(Text[..dot]) : default;
        return isElement;
    }

    /// <summary>Whether this is <paramref name="other"/> or an ancestor of it: what is set here decides what is read there.</summary>
    public bool Covers(SessionPath other) => IsLiteral || other.IsLiteral
        // A literal key wins over the path of the same name, but nothing below either is the other's.
        ? IsLiteral && Text == other.Text
        : other.Text.StartsWith(Text, StringComparison.Ordinal)
        && (other.Text.Length == Text.Length || other.Text[Text.Length] == '.');

    public override string ToString() => Text;
}
