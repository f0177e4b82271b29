using RedisSessions.Consistency.Reference;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>The stored state of a session at a place in the order.</summary>
/// <param name="Values">What is stored.</param>
/// <param name="Epoch">Whose ids lead to it.</param>
/// <param name="HasEnded">Whether it was destroyed.</param>
internal sealed record Place(ModelState Values, int Epoch, bool HasEnded)
{
    /// <summary>The same for the same place.</summary>
    public ulong Hash() => Tree.Mix(Values.Hash(), (ulong)((Epoch << 1) + (HasEnded ? 1 : 0)));
}

/// <summary>Replays transactions on the model, and compares the answers that count.</summary>
internal sealed class Replay(Lineage lineage, Rules rules, Relaxation relaxation)
{
    private readonly FlashView _flash = new(lineage, rules, relaxation.VanishingFlash);
    private readonly HashSet<string> _flashedPaths =
        [.. lineage.Members.SelectMany(Facts.Executed).Where(executed => executed.Step.Op == Op.Flash)
            .Select(executed => executed.Step.Path!)];

    /// <summary>Why the last transaction did not fit.</summary>
    public string? Mismatch { get; private set; }

    /// <summary>The place after a transaction; null when its answers are not those of this place.</summary>
    public Place? Next(Transaction transaction, Place place)
    {
        Mismatch = null;
        var isLate = place.HasEnded || place.Epoch != transaction.Epoch;
        if (isLate && transaction.Kind == Kind.Write && rules.LastWriteWins && !transaction.Destroys && transaction.Update.Count == 0)
            return place;
        if (isLate && !transaction.Destroys)
        {
            Mismatch = place.HasEnded ? "the session has ended here" : "its id is dead here";
            return null;
        }
        if (transaction.Kind == Kind.Script)
            return Run(transaction, place);
        var state = place.Values.Age((_, mark) =>
            _flash.IsGone(mark, transaction.Member) || (transaction.IsLater && _flash.Removes(transaction.Member, mark)));
        if (!relaxation.CarriedReads && !Fits(transaction, new ModelSession(state, transaction.Member),
            [.. transaction.Carried.Where(read => StillCounts(transaction, read))], isUpdate: true))
            return null;
        var session = new ModelSession(state, transaction.Member, transaction.IsReadOnly) { LiteralWins = relaxation.LiteralWins };
        if (!Fits(transaction, session, transaction.Plain, isUpdate: false)
            || !Fits(transaction, session, transaction.Update, isUpdate: true))
            return null;
        return transaction.Kind == Kind.Read ? Seen(transaction, place, session.State) : Stored(transaction, place, session);
    }

    private Place Stored(Transaction transaction, Place place, ModelSession session)
    {
        var state = session.State;
        if (!transaction.IsLater && !session.IsDestroyed)
            state = state.Age((_, mark) => _flash.Removes(transaction.Member, mark));
        if (transaction.IsOptional || transaction.Kind == Kind.Script)
            state = state.WithUncertain((_, mark) => mark.By == transaction.Member);
        return new Place(state, session.KillsId && transaction.NewEpoch is { } epoch ? epoch : place.Epoch, place.HasEnded
            || session.IsDestroyed);
    }

    private Place Run(Transaction transaction, Place place)
    {
        var session = new ModelSession(place.Values, transaction.Member, transaction.IsReadOnly);
        foreach (var step in transaction.Script)
        {
            var before = session.State;
            var exit = Plain.Run(session, step.Op == Op.Update ? step.Then! : [step], [], catches: step.Op != Op.Update);
            if (exit != Exit.None)
                session.State = before;
        }
        return Stored(transaction, place, session);
    }

    /// <summary>
    /// A read leaves everything as it was, but it may have shown that a flashed value is gone; unless its own request has removed it, which
    /// need not be stored.
    /// </summary>
    private static Place Seen(Transaction transaction, Place place, ModelState seen) =>
        transaction.IsLater || ReferenceEquals(place.Values.Flashed, seen.Flashed)
            || transaction.Steps.Any(executed => executed.Step.Writes())
            ? place
            : place with { Values = place.Values.Age((path, _) => !seen.Flashed.ContainsKey(path)) };

    /// <summary>
    /// Whether a read before an update still has to hold after it: neither the update nor the ageing of flash data changed what was read.
    /// </summary>
    private bool StillCounts(Transaction transaction, Executed read)
    {
        var top = Touched.TopOf(read);
        return !read.Step.Writes() && !transaction.CarriedExcept.Contains(top) && !transaction.CarriedExcept.Contains(Touched.Everything)
            && (top == Touched.Everything ? transaction.CarriedExcept.Count + _flashedPaths.Count == 0
                : !_flashedPaths.Any(path => Touched.Top(path) == top));
    }

    private bool Fits(Transaction transaction, ModelSession session, IReadOnlyList<Executed> steps, bool isUpdate)
    {
        foreach (var executed in steps)
        {
            if (executed.Step.Op is Op.Wait or Op.CancelledCommit or Op.Update or Op.CancelledUpdate)
                continue;
            var counts = Counts(transaction, executed, isUpdate);
            if (!counts && !executed.Succeeded())
                continue;
            var before = Blur(transaction, session, executed.Step);
            var answer = session.Execute(executed.Step);
            if (counts && !Agree(executed, answer, isUpdate) && !Resolves(transaction, session, before, executed, isUpdate))
            {
                Mismatch = $"{Printing.Line(executed)}, but here it would be {answer ?? "done"}";
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether an answer is compared at all.</summary>
    private bool Counts(Transaction transaction, Executed executed, bool isUpdate)
    {
        var op = executed.Step.Op;
        if (rules.LastWriteWins && !isUpdate && transaction.Kind == Kind.Write)
            return false;
        if (relaxation.ActingUpdates && isUpdate && transaction.OnlyActs)
            return false;
        if (relaxation.WholeReads && transaction.Kind == Kind.Write && op is Op.All or Op.LiteralKeys or Op.GetLifetimes)
            return false;
        if (relaxation.LiteralWins && op == Op.Increment)
            return false;
        return !relaxation.FlashReads || !(op is Op.All or Op.LiteralKeys
            || (executed.Step.Path is { } path && _flashedPaths.Any(flashed => Touched.AreRelated(flashed, path))));
    }

    private static bool Agree(Executed executed, string? answer, bool isUpdate)
    {
        // In plain code these answers are hints; only a refusal is a read.
        if (!isUpdate && executed.Step.Op is Op.Increment or Op.Remove)
            return Fates.IsRefusal(executed.Answer) == Fates.IsRefusal(answer);
        return AnswerText.Comparable(executed) == answer;
    }

    /// <summary>A change of a flashed value that may be gone already leaves it uncertain from now on.</summary>
    private ModelState Blur(Transaction transaction, ModelSession session, Step step)
    {
        if (step.Op is Op.Set or Op.Push or Op.Prepend or Op.Increment or Op.LiteralSet or Op.Keep or Op.Reflash)
        {
            var state = session.State;
            session.State = state.WithUncertain((path, mark) => IsOpen(transaction, state, path, mark, step));
        }
        return session.State;
    }

    /// <summary>Whether an answer is right if flashed values that may be gone are gone.</summary>
    private bool Resolves(Transaction transaction, ModelSession session, ModelState before, Executed executed, bool isUpdate)
    {
        var after = session.State;
        var open = before.Flashed.Where(pair => IsOpen(transaction, before, pair.Key, pair.Value, executed.Step)).Select(pair => pair.Key)
            .ToList();
        for (var gone = 1; gone < 1 << Math.Min(open.Count, 4); gone++)
        {
            var chosen = gone;
            session.State = before.Age((path, _) => open.IndexOf(path) is >= 0 and var bit && (chosen >> bit & 1) == 1);
            if (Agree(executed, session.Execute(executed.Step), isUpdate))
                return true;
        }
        session.State = after;
        return false;
    }

    private bool IsOpen(Transaction transaction, ModelState state, string path, FlashMark mark, Step step)
    {
        if ((step.Path is { } at && !Touched.AreRelated(at, path))
            || (mark.By == transaction.Member && !transaction.IsLater && !mark.IsUncertain))
            return false;
        Tree.TryGet(state.Values, Tree.Split(path).AsSpan(), out var value);
        return _flash.MayBeGone(path, mark, value, transaction.Member, transaction.IsLater);
    }
}
