using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Reference;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Tests.Support;

/// <summary>A fault that is planted in one transaction.</summary>
internal enum Fault
{
    None,

    /// <summary>The change is acknowledged and not stored.</summary>
    Drop,

    /// <summary>The change is applied twice.</summary>
    Twice,

    /// <summary>The transaction works on what was stored before, and stores that.</summary>
    OldState,

    /// <summary>An answer is another one.</summary>
    WrongAnswer,
}

/// <summary>
/// Executes requests of several browsers on the model, interleaved at random and each transaction at once: a store without any fault but
/// the one that is
/// planted. What it observes must be accepted without one.
/// </summary>
internal sealed class ReferenceFarm(Random random, int parallel, Fault fault = Fault.None)
{
    private readonly List<Observation> _observations = [];
    private readonly Dictionary<int, (Stored Session, int Epoch)> _cookies = [];
    private readonly int?[] _browsers = new int?[2];
    private readonly int _faultAt = random.Next(4, 30);
    private int _cookieCount;
    private int _transactions;
    private long _clock;
    private Stored? _failed;

    /// <summary>Whether the fault changed something that the last request can see.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Runs all requests, and then one for each browser that reads everything.</summary>
    public RunHistory Run(Generator generator, int count)
    {
        var running = new List<Running>();
        while (count > 0 || running.Count > 0)
        {
            if (count > 0 && (running.Count == 0 || (running.Count < parallel && random.Next(2) == 0)))
            {
                var browser = random.Next(_browsers.Length);
                running.Add(Begin(generator.Next(browser), browser));
                count--;
            }
            else if (running[random.Next(running.Count)] is var next && Advance(next))
                running.Remove(next);
        }
        for (var browser = 0; browser < _browsers.Length; browser++)
        {
            var last = Begin(new Request($"last{browser}", [new Step(Op.All)]), browser);
            while (!Advance(last))
                continue;
        }
        HasFailed &= _failed is null
            || _browsers.Any(cookie => cookie is { } sent && _cookies[sent].Session == _failed && !_failed.HasEnded);
        return new RunHistory("reference", 0, [.. _observations.OrderBy(observation => observation.Began)], [], new Rules());
    }

    private Running Begin(Request request, int browser)
    {
        var cookie = _browsers[browser];
        var isLive = cookie is { } sent && _cookies.TryGetValue(sent, out var found) && !found.Session.HasEnded
            && found.Session.Epoch == found.Epoch;
        var session = isLive ? _cookies[cookie!.Value].Session : new Stored();
        return new Running(request, browser, cookie, !isLive, session, session.Epoch, session.State, ++_clock,
            new ScriptRun(request, (int)_clock));
    }

    /// <summary>Executes one transaction; answers whether the request is over.</summary>
    private bool Advance(Running request)
    {
        var session = request.Session;
        var before = request.Run.Segments.Count;
        var isLate = (session.HasEnded && !request.Run.IsDestroyed) || session.Epoch != request.Epoch;
        var plants = !isLate && ++_transactions >= _faultAt && !HasFailed;
        var stale = plants && fault == Fault.OldState ? session.Past[random.Next(session.Past.Count)] : session.State;
        var model = request.Run.Next(isLate ? request.Snapshot : stale);
        if (isLate && request.Run.Segments.Skip(before).Any(Facts.Writes))
        {
            request.Fails = true;
            return End(request);
        }
        if (!isLate && !request.Run.IsDestroyed | model.IsDestroyed)
            Store(request, model, plants, stale);
        request.Snapshot = isLate ? model.State : session.State;
        // What plain code read before an update counts until its next commit: nobody comes between.
        if (!request.Run.IsOver && request.Run.Segments.LastOrDefault(segment => !segment.IsUpdate) is { WithNext: true })
            return Advance(request);
        return request.Run.IsOver && End(request);
    }

    private void Store(Running request, ModelSession model, bool plants, ModelState stale)
    {
        var session = request.Session;
        var pushes = Order(model.State).Except(Order(stale)).Any();
        if (plants && fault == Fault.Drop && pushes && !model.IsDestroyed && !model.ChangesId && session.State.Exists)
        {
            (HasFailed, _failed) = (true, session);
            return;
        }
        if (plants && fault == Fault.OldState)
            HasFailed = Order(session.State).Except(Order(model.State)).Any() && pushes;
        if (plants && fault == Fault.OldState && !HasFailed && stale != session.State)
            model = new ModelSession(session.State, 0);
        _failed = HasFailed ? _failed ?? session : null;
        session.State = model.State;
        if (plants && fault == Fault.Twice && pushes)
        {
            (HasFailed, _failed) = (true, session);
            model.Execute(new Step(Op.Push) { Path = Generator.Order, Value = Order(model.State).Last() });
            session.State = model.State;
        }
        session.Past.Add(session.State);
        session.HasEnded |= model.IsDestroyed;
        request.Issues |= (request.IsNew && session.State.Exists) || (model.ChangesId && session.State.Exists);
        if (model.KillsId && session.State.Exists && !model.IsDestroyed)
            request.Epoch = ++session.Epoch;
    }

    private bool End(Running request)
    {
        var segments = request.Run.Segments.Select((segment, i) =>
            request.Fails && i == request.Run.Segments.Count - 1 ? segment with { Fate = Fate.Ended } : segment).ToList();
        if (request.Fails && segments.Count > 1 && segments[^2].WithNext)
            segments[^2] = segments[^2] with { Fate = Fate.Ended };
        int? issued = null;
        if (request.Issues && !request.Session.HasEnded && request.Session.Epoch == request.Epoch)
        {
            issued = ++_cookieCount;
            _cookies[issued.Value] = (request.Session, request.Epoch);
            _browsers[request.Browser] = issued;
        }
        if (fault == Fault.WrongAnswer && !HasFailed && _transactions >= _faultAt)
            HasFailed = Falsify(segments);
        _observations.Add(new Observation(
            request.Request, request.Browser, 0, request.Cookie, request.Began, ++_clock, request.IsNew, segments,
            issued is null ? CookieAnswer.None : CookieAnswer.Issued, issued) { At = request.Began });
        return true;
    }

    private static bool Falsify(List<Segment> segments)
    {
        for (var i = 0; i < segments.Count; i++)
        {
            var steps = segments[i].Steps.ToList();
            var at = steps.FindIndex(executed => executed.Step.Op == Op.Get && executed.Answer != "null");
            if (at < 0 || segments[i].Fate != Fate.Committed)
                continue;
            steps[at] = steps[at] with { Answer = "\"never stored\"" };
            segments[i] = segments[i] with { Steps = steps };
            return true;
        }
        return false;
    }

    private static IEnumerable<string> Order(ModelState state) =>
        state.Values.GetValueOrDefault(Generator.Order) is IEnumerable<object?> list ? list.Select(Json.Write) : [];

    private sealed class Stored
    {
        public ModelState State { get; set; } = ModelState.Empty;

        public int Epoch { get; set; }

        public bool HasEnded { get; set; }

        public List<ModelState> Past { get; } = [ModelState.Empty];
    }

    private sealed class Running(
        Request request, int browser, int? cookie, bool isNew, Stored session, int epoch, ModelState snapshot, long began, ScriptRun run)
    {
        public Request Request => request;

        public int Browser => browser;

        public int? Cookie => cookie;

        public bool IsNew => isNew;

        public Stored Session => session;

        public int Epoch { get; set; } = epoch;

        public ModelState Snapshot { get; set; } = snapshot;

        public long Began => began;

        public ScriptRun Run => run;

        public bool Issues { get; set; }

        public bool Fails { get; set; }
    }
}
