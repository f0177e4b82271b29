using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Reference;

/// <summary>
/// Executes a request on the model, one transaction at a time, with the segments that the interpreter would write down. Each transaction
/// runs alone, on what
/// is stored when it begins: what stores is the owner's.
/// </summary>
/// <param name="request">What to do.</param>
/// <param name="number">The number of the request, for flash data.</param>
internal sealed class ScriptRun(Request request, int number)
{
    private readonly List<Segment> _done = [];
    private List<Executed> _open = [];
    private int _next;
    private bool _hasAged;

    // What was changed in a new session that was not worth storing.
    private ModelState? _unstored;

    /// <summary>The segments that have ended.</summary>
    public IReadOnlyList<Segment> Segments => _done;

    /// <summary>Whether the request has ended, its last commit included.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Whether the session was given an end by what is stored so far.</summary>
    public bool IsDestroyed { get; private set; }

    /// <summary>Today's rule for literals.</summary>
    public bool LiteralWins { get; init; }

    /// <summary>Runs up to the end of the next transaction.</summary>
    /// <param name="stored">What is stored when it begins.</param>
    /// <returns>The session after it: its state is to be stored if it exists, and its new id and end take effect.</returns>
    public ModelSession Next(ModelState stored)
    {
        if (!stored.Exists)
            stored = _unstored ?? stored;
        var session = new ModelSession(stored, number, request.Access == SessionAccess.ReadOnly) { IsDestroyed = IsDestroyed,
            LiteralWins = LiteralWins };
        while (_next < request.Steps.Count)
        {
            if (Run(request.Steps[_next++], session, stored))
                return session;
            if (IsOver)
                return new ModelSession(stored, number) { IsDestroyed = IsDestroyed };
        }
        IsOver = true;
        Commit(session);
        return session;
    }

    /// <summary>Runs a step of plain code; answers whether it ended a transaction.</summary>
    private bool Run(Step step, ModelSession session, ModelState stored)
    {
        switch (step.Op)
        {
            case Op.Commit:
                Commit(session);
                return true;
            case Op.CancelledCommit:
                // A commit with nothing to store may well end, and so does one that looks at its token: both leave no trace.
                _open.Add(new Executed(step, "!Cancelled"));
                return false;
            case Op.Discard:
                (session.State, session.IsDestroyed, session.ChangesId, session.KillsId, session.HasWritten) = (stored, IsDestroyed, false,
                    false, false);
                Close(Fate.Abandoned);
                return false;
            case Op.Update:
                return Update(step, session);
            case Op.CancelledUpdate:
                if (session.RefusesWrites)
                    return Update(step, session);
                _done.Add(new Segment([], Fate.Abandoned) { IsUpdate = true });
                return false;
            default:
                if (Plain.Run(session, step, _open, catches: true) == Exit.Throw)
                {
                    Close(Fate.Abandoned);
                    IsOver = true;
                }
                return false;
        }
    }

    private bool Update(Step step, ModelSession session)
    {
        if (session.RefusesWrites)
        {
            _open.Add(new Executed(step.Flat(), "!InvalidOperationException"));
            return false;
        }
        var before = (session.State, session.IsDestroyed, session.ChangesId, session.KillsId, session.HasWritten);
        var answers = new List<Executed>();
        if (Plain.Run(session, step.Then, answers, catches: false) == Exit.None)
        {
            if (_open.Count > 0)
                Close(Fate.Committed, withNext: true);
            _done.Add(new Segment(answers, Fate.Committed) { IsUpdate = true, Runs = 1 });
            Stored(session);
            return true;
        }
        (session.State, session.IsDestroyed, session.ChangesId, session.KillsId, session.HasWritten) = before;
        _done.Add(new Segment(answers, Fate.Abandoned) { IsUpdate = true, Runs = 1 });
        return false;
    }

    private void Commit(ModelSession session)
    {
        Close(Fate.Committed);
        Stored(session);
    }

    private void Stored(ModelSession session)
    {
        IsDestroyed = session.IsDestroyed;
        _unstored = session.State;
        if (session.HasWritten)
            session.State = session.State with { Exists = true };
        if (!_hasAged)
            session.Age();
        _hasAged = true;
    }

    private void Close(Fate fate, bool withNext = false)
    {
        _done.Add(new Segment(_open, fate) { WithNext = withNext });
        _open = [];
    }
}
