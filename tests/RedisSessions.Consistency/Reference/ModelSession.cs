using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using RedisSessions.Consistency.Scripts;
using Map = System.Collections.Immutable.ImmutableSortedDictionary<string, object?>;

namespace RedisSessions.Consistency.Reference;

/// <summary>
/// What one request sees and does, one step after the other and alone: the meaning of each operation, written from the documentation. It
/// holds a working
/// state; its owner decides when that is stored.
/// </summary>
/// <param name="state">What is stored now.</param>
/// <param name="request">The number of the request, for flash data.</param>
/// <param name="isReadOnly">Whether writes are refused.</param>
internal sealed class ModelSession(ModelState state, int request, bool isReadOnly = false)
{
    private const string Refused = "!InvalidOperationException";

    /// <summary>The configured idle timeout, in seconds.</summary>
    public const long DefaultIdleTimeout = 1200;

    /// <summary>The configured absolute timeout, in seconds.</summary>
    public const long DefaultAbsoluteTimeout = 43200;

    /// <summary>The working state.</summary>
    public ModelState State { get; set; } = state;

    /// <summary>Whether the request has ended the session.</summary>
    public bool IsDestroyed { get; set; }

    /// <summary>Whether the session gets a new id.</summary>
    public bool ChangesId { get; set; }

    /// <summary>Whether the old id is dead at once.</summary>
    public bool KillsId { get; set; }

    /// <summary>Whether something was written that is stored, also in a new session.</summary>
    public bool HasWritten { get; set; }

    /// <summary>
    /// Today's rule for a literal key that has the text of a path: the literal wins when reading and removing. DESIGN keeps them apart.
    /// </summary>
    public bool LiteralWins { get; init; }

    /// <summary>Whether the session refuses every write.</summary>
    public bool RefusesWrites => isReadOnly || IsDestroyed;

    /// <summary>Executes a step, not those inside it.</summary>
    /// <returns>The answer as the interpreter would write it down.</returns>
    public string? Execute(Step step) => step.Op switch
    {
        Op.Get => Json.Write(Read(step.Path!)),
        Op.Has or Op.IfHas => Json.Write(TryRead(step.Path!, out _)),
        Op.IfEquals => Json.Write(Json.Write(Read(step.Path!)) == Json.Canonical(step.Value!)),
        Op.All => Json.Write(State.Values),
        Op.LiteralGet => BytesOf(Literal(step.Path!)) is { } bytes ? Json.Write(Encoding.UTF8.GetString(bytes)) : "null",
        Op.LiteralKeys => Json.Write(State.Values.Concat(State.Literals).Where(pair => BytesOf(pair.Value) is not null)
            .Select(pair => pair.Key).Order(StringComparer.Ordinal)),
        Op.GetLifetimes => $"[{State.IdleTimeout ?? DefaultIdleTimeout},{State.AbsoluteTimeout ?? DefaultAbsoluteTimeout}]",
        Op.Wait => null,
        Op.Destroy when !isReadOnly => Destroy(),
        // Observed, not documented: these two are no write when nothing would change.
        Op.SetPersistent when (step.Number != 0) == State.IsPersistent => null,
        Op.LiteralRemove when RefusesWrites && Literal(step.Path!) is null => null,
        _ => RefusesWrites ? Refused : Write(step),
    };

    /// <summary>
    /// Removes flashed paths that a request before this one flashed or kept: done by the first commit of a request that sees them.
    /// </summary>
    public void Age()
    {
        if (!RefusesWrites)
            State = State.Age((_, mark) => mark.By < request);
    }

    private string? Write(Step step)
    {
        switch (step.Op)
        {
            case Op.Set: return Put(step.Path!, Tree.From(Json.Read(step.Value!)));
            case Op.Remove: return Json.Write(Remove(step.Path!));
            case Op.Pull:
                var pulled = Json.Write(Read(step.Path!));
                Remove(step.Path!);
                return pulled;
            case Op.Increment: return Increment(step.Path!, step.Number);
            case Op.Push: return Add(step.Path!, step.Value!, first: false);
            case Op.Prepend: return Add(step.Path!, step.Value!, first: true);
            case Op.Clear: return Clear();
            case Op.Flash:
                Put(step.Path!, Tree.From(Json.Read(step.Value!)));
                State = State with { Flashed = State.Flashed.SetItem(step.Path!, new FlashMark(request)) };
                return null;
            case Op.Keep: return Keep(path => path == step.Path);
            case Op.Reflash:
                // Observed, not documented: this stores a new session, though it changes nothing.
                HasWritten = true;
                return Keep(_ => true);
            case Op.LiteralSet: return PutLiteral(step.Path!, Encoding.UTF8.GetBytes((string)Json.Read(step.Value!)!));
            case Op.LiteralRemove: return RemoveLiteral(step.Path!);
            default: return Act(step);
        }
    }

    private string? Act(Step step)
    {
        switch (step.Op)
        {
            case Op.SetIdleTimeout: State = State with { IdleTimeout = step.Number }; break;
            case Op.SetAbsoluteTimeout: State = State with { AbsoluteTimeout = step.Number }; break;
            case Op.SetPersistent:
                State = State with { IsPersistent = step.Number != 0 };
                HasWritten = true;
                break;
            case Op.Rotate: ChangesId = true; break;
            case Op.Login: ChangesId = KillsId = true; break;
            default: throw new NotSupportedException($"{step.Op} is no step of its own.");
        }
        return null;
    }

    private string? Destroy()
    {
        // Observed, not documented: the rest of the request sees an empty session.
        State = State with { Values = Tree.Empty, Literals = Tree.Empty, Flashed = ModelState.Empty.Flashed, IsPersistent = false };
        IsDestroyed = true;
        ChangesId = KillsId = false;
        return null;
    }

    private object? Read(string path) => TryRead(path, out var value) ? value : null;

    private bool TryRead(string path, out object? value) =>
        (LiteralWins && State.Literals.TryGetValue(path, out value)) || Tree.TryGet(State.Values, Tree.Split(path).AsSpan(), out value);

    private string? Put(string path, object? value)
    {
        HasWritten = true;
        State = State with { Values = (Map)Tree.With(State.Values, Tree.Split(path).AsSpan(), value)! };
        return null;
    }

    private bool Remove(string path)
    {
        if (!TryRead(path, out _))
            return false;
        HasWritten = true;
        State = LiteralWins && State.Literals.ContainsKey(path)
            ? State with { Literals = State.Literals.Remove(path) }
            : State with { Values = (Map)Tree.Without(State.Values, Tree.Split(path).AsSpan())! };
        return true;
    }

    private string? Clear()
    {
        HasWritten |= State.Values.Count + State.Literals.Count > 0;
        State = State with { Values = Tree.Empty, Literals = Tree.Empty, Flashed = ModelState.Empty.Flashed };
        return null;
    }

    private string Increment(string path, long by)
    {
        Tree.TryGet(State.Values, Tree.Split(path).AsSpan(), out var value);
        var number = value ?? 0L;
        if (number is not long integer || (by > 0 ? integer > long.MaxValue - by : integer < long.MinValue - by))
            return Refused;
        Put(path, integer + by);
        return Json.Write(integer + by);
    }

    private string? Add(string path, string value, bool first)
    {
        // Observed, not documented: null counts as missing.
        var list = Tree.TryGet(State.Values, Tree.Split(path).AsSpan(), out var there) && there is not null
            ? there as ImmutableList<object?> : [];
        if (list is null)
            return Refused;
        var element = Tree.From(Json.Read(value));
        return Put(path, first ? list.Insert(0, element) : list.Add(element));
    }

    private string? Keep(Func<string, bool> kept)
    {
        foreach (var (path, mark) in State.Flashed)
        {
            if (kept(path) && mark.By != request)
                State = State with { Flashed = State.Flashed.SetItem(path, mark with { By = request }) };
        }
        return null;
    }

    private object? Literal(string key) => key.Contains('.') ? State.Literals.GetValueOrDefault(key) : State.Values.GetValueOrDefault(key);

    private string? PutLiteral(string key, byte[] bytes)
    {
        if (!key.Contains('.'))
            return Put(key, bytes);
        HasWritten = true;
        State = State with { Literals = State.Literals.SetItem(key, bytes) };
        return null;
    }

    private string? RemoveLiteral(string key)
    {
        HasWritten |= key.Contains('.') ? State.Literals.ContainsKey(key) : State.Values.ContainsKey(key);
        State = key.Contains('.')
            ? State with { Literals = State.Literals.Remove(key) }
            : State with { Values = State.Values.Remove(key) };
        return null;
    }

    /// <summary>Bytes as they are, a string in UTF-8, an integer of 32 bits in four bytes; nothing else has a form as bytes.</summary>
    private static byte[]? BytesOf(object? value)
    {
        switch (value)
        {
            case byte[] bytes: return bytes;
            case string text: return Encoding.UTF8.GetBytes(text);
            case long number when number is >= int.MinValue and <= int.MaxValue:
                var four = new byte[4];
                BinaryPrimitives.WriteInt32BigEndian(four, (int)number);
                return four;
            default: return null;
        }
    }
}
