namespace RedisSessions.Tests.Simulation;

internal enum RequestKind
{
    Add, AddTwice, Update, Naive, Set, Read, Login, Rotate, Logout, Probe,
}

/// <summary>One request of a browser: what it does, what it is told, and what that means to the model.</summary>
internal sealed class SimulatedRequest(
    int number, RequestKind kind, Browser browser, SessionId? cookie, SimulatedProcess process, Model model, StepScheduler scheduler)
{
    private readonly List<int> _pending = [];
    private Life? _life;
    private bool _fate;
    private int _logins;

    public SimulatedProcess Process => process;

    public bool Ended { get; private set; }

    /// <summary>The process is dead: nobody will ever learn what became of this request.</summary>
    public void Abandon()
    {
        scheduler.Note($"request {number} is abandoned");
        OutcomeUnknown();
        Ended = true;
    }

    public async Task RunAsync()
    {
        Session? session = null;
        try
        {
            session = await LoadAsync();
            await process.WorkAsync();
            await ActAsync(session);
        }
        catch (SessionConflictException e) when (!Ended)
        {
            scheduler.Note($"request {number} is refused: {e.Path ?? (e.SessionEnded ? "ended" : "gave up")}");
            if (_life is { } life)
                life.Refused.UnionWith(_pending);
            FateDecided();
        }
        catch (SessionStoreException) when (!Ended)
        {
            OutcomeUnknown();
        }
        catch (RequestDiedException)
        {
            session = null;
            if (!Ended)
                OutcomeUnknown();
        }

        if (Ended)
            return;
        if (session is not null)
            TakeCookie(session);
        scheduler.Note($"request {number} is over");
        Ended = true;
    }

    private async Task<Session> LoadAsync()
    {
        scheduler.Note($"request {number}: {kind} of browser {browser.Number} in process {process.Number} to session {model.Of(cookie)?.Number}");
        if (cookie is not { } id)
            return process.Manager.Create();
        var known = model.Of(id);
        var dead = model.IsDead(id);
        _logins = known is null || known.LoginsUnderWay > 0 ? -1 : known.LoginsBegun;
        var (fates, busy, acknowledged) = (known?.FatesBegun, known?.FatesUnderWay > 0, known?.Acknowledged.Count ?? 0);
        var session = await process.Manager.LoadAsync(id, cancellationToken: CancellationToken.None);
        if (session.IsNew)
        {
            if (known is { Ended: false, MayHaveEnded: false, Uncertain: false } && !dead && !busy && fates == known.FatesBegun)
                throw new ViolationException($"session {known.Number} has disappeared");
            return session;
        }

        if (dead)
            throw new ViolationException($"an id of session {known!.Number} works again, which {(known.Ended ? "was destroyed" : "had been replaced")}");
        var all = session.All();
        _life = model.Numbered(all["life"] as long? ?? -1);
        if (known is not null && known != _life)
            throw new ViolationException($"a request of session {known.Number} sees session {_life.Number}");
        Model.CheckSeen(_life, all, acknowledged);
        return session;
    }

    private async Task ActAsync(Session session)
    {
        var wasReplaced = cookie is { } old && session.IsNew && kind is not (RequestKind.Login or RequestKind.Rotate) && model.WasReplacedLately(old);
        if (kind == RequestKind.Read || (kind == RequestKind.Logout && session.IsNew))
            return;
        if (session.IsNew)
            session["life"] = (_life = model.Begin()).Number;

        var endedBefore = _life!.Ended;
        var first = Token();
        // What was acknowledged about the ids before this began; a new id makes all of those lead nowhere.
        var olds = cookie is { } brought ? _life.Ids.Append(brought).Distinct().ToList() : [];
        switch (kind)
        {
            case RequestKind.Add or RequestKind.Probe:
                Write(session, first);
                break;
            case RequestKind.AddTwice:
                Write(session, first);
                await CommitAsync(session, endedBefore);
                await process.WorkAsync();
                endedBefore = _life.Ended;
                Write(session, Token());
                break;
            case RequestKind.Update:
                var answer = await session.UpdateAsync(s => AddToSum(s, first), CancellationToken.None);
                if (!Ended && !_life.Answers.Add(answer))
                    throw new ViolationException($"two updates of session {_life.Number} got the same answer {answer}");
                break;
            case RequestKind.Naive:
                AddToSum(session, first);
                break;
            case RequestKind.Set:
                session[$"set.{first}"] = first;
                break;
            case RequestKind.Login:
                Write(session, first);
                BeginFate();
                session.RegenerateId(deleteOld: true);
                break;
            case RequestKind.Rotate:
                Write(session, first);
                BeginFate();
                session.RegenerateId(deleteOld: false);
                break;
            case RequestKind.Logout:
                _pending.Clear();
                BeginFate();
                session.Destroy(expireCookie: true);
                _life.MayHaveEnded = true;
                break;
        }

        await process.WorkAsync();
        await CommitAsync(session, endedBefore);
        if (Ended)
            return;
        if (wasReplaced)
            throw new ViolationException("an id that had been replaced at a login began a session");
        if (kind == RequestKind.Login && cookie is { } replaced && model.Of(replaced) == _life)
            model.Replace(_life, olds);
        if (kind == RequestKind.Rotate && cookie is { } rotated)
            _life.Rotated.Add(rotated);
        if (kind == RequestKind.Logout && _logins == _life.LoginsBegun)
            model.End(_life);
        FateDecided();
    }

    private async Task CommitAsync(Session session, bool endedBefore)
    {
        await session.CommitAsync(CancellationToken.None);
        if (Ended)
            return;
        if (endedBefore && kind != RequestKind.Logout)
            throw new ViolationException($"a change of session {_life!.Number} was acknowledged after that had been destroyed");
        _life!.Acknowledged.AddRange(_pending);
        _pending.Clear();
        if (SessionManager.CookieFor(session) == SessionCookieAction.Issue)
            model.Issue(_life, session.SessionId);
    }

    private static void Write(Session session, int token)
    {
        session.Increment("n");
        session.Push("log", token);
    }

    private static long AddToSum(Session session, int token)
    {
        var sum = session.Get<long>("sum") + 1;
        session["sum"] = sum;
        session.Push("updates", token);
        return sum;
    }

    private int Token()
    {
        _pending.Add(model.NextToken());
        scheduler.Note($"request {number} makes the change {_pending[^1]} in session {_life!.Number}");
        return _pending[^1];
    }

    private void TakeCookie(Session session)
    {
        switch (SessionManager.CookieFor(session))
        {
            case SessionCookieAction.Issue:
                browser.Cookie = session.SessionId;
                break;
            case SessionCookieAction.Expire:
                browser.Cookie = null;
                break;
        }
    }

    private void BeginFate()
    {
        _fate = true;
        _life!.FatesBegun++;
        if (kind == RequestKind.Login)
        {
            _life.LoginsBegun++;
            _life.LoginsUnderWay++;
        }

        if (_life.FatesUnderWay++ > 0)
            _life.Uncertain = true;
    }

    private void FateDecided()
    {
        if (!_fate)
            return;
        _fate = false;
        _life!.FatesUnderWay--;
        if (kind == RequestKind.Login)
            _life.LoginsUnderWay--;
    }

    private void OutcomeUnknown()
    {
        scheduler.Note($"request {number}: nobody knows the outcome");
        if (!_fate)
            return;
        // It may take effect even now: a command can still be on its way.
        _fate = false;
        _life!.FatesUnderWay--;
        _life.Uncertain = true;
    }
}

/// <summary>A visitor: one cookie jar, several requests at once.</summary>
internal sealed class Browser(int number)
{
    public int Number { get; } = number;

    public SessionId? Cookie { get; set; }
}
