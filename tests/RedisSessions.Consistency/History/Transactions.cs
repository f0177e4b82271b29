using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Makes the transactions of a session out of what its requests observed.</summary>
internal sealed class Transactions
{
    private readonly Lineage _lineage;
    private readonly List<Transaction> _placed = [];
    private readonly List<Transaction> _refused = [];

    private Transactions(Lineage lineage) => _lineage = lineage;

    /// <summary>What is to be placed in an order, and what was answered as not stored.</summary>
    public static (IReadOnlyList<Transaction> Placed, IReadOnlyList<Transaction> Refused) Of(Lineage lineage, RunHistory history)
    {
        var transactions = new Transactions(lineage);
        for (var member = 0; member < lineage.Members.Count; member++)
        {
            if (lineage.Members[member].IsUnobserved())
                transactions.AddScript(lineage.Members[member], member);
            else
                transactions.Add(lineage.Members[member], member);
        }
        if (history.Rules.MayLoseAcknowledged)
        {
            // What was lost before a session began is nothing of it.
            transactions._placed.AddRange(history.Events
                .Where(happened => happened.What.StartsWith("rollback", StringComparison.Ordinal)
                    && lineage.Members.Any(member => member.Began < happened.At))
                .Select(Rollback));
        }
        return (transactions._placed, transactions._refused);
    }

    private static Transaction Rollback(EnvironmentEvent happened) => new()
    {
        Kind = Kind.Rollback,
        Request = "roll-back",
        Member = -1,
        Began = happened.At,
        Ended = happened.At,
    };

    private void Add(Observation observation, int member)
    {
        var request = new RequestState { Epoch = _lineage.EpochOf(observation) };
        for (var i = 0; i < observation.Segments.Count && !request.IsDestroyed; i++)
        {
            var segment = observation.Segments[i];
            if (segment.IsUpdate)
                AddUpdate(observation, member, request, null, segment);
            else if (segment.WithNext && segment.Writes() && i + 1 < observation.Segments.Count)
                AddUpdate(observation, member, request, segment, observation.Segments[++i]);
            else
                AddPlain(observation, member, request, segment);
        }
    }

    private void AddPlain(Observation observation, int member, RequestState request, Segment segment)
    {
        var transaction = Base(observation, member, request) with { Plain = segment.Steps, Fate = segment.Fate };
        if (segment.WithNext)
        {
            // No commit: what was read counts at the next plain one.
            request.Carried.AddRange(segment.Steps);
            AddRead(transaction);
            return;
        }
        AddPlain(transaction, segment, request);
        (request.Carried, request.ChangedSince) = ([], []);
    }

    private void AddPlain(Transaction transaction, Segment segment, RequestState request)
    {
        var writes = segment.Writes();
        if (!segment.IsStored() && !segment.IsUncertain())
        {
            AddRead(transaction);
            if (writes)
                _refused.Add(transaction with { Kind = Kind.Write, IsOptional = true });
            return;
        }
        if (writes)
            AddWrite(transaction with { Carried = [.. request.Carried], CarriedExcept = request.ChangedSince }, segment.IsUncertain(),
                request);
        else if (segment.IsStored())
            AddRead(transaction);
        request.HasCommitted |= segment.IsStored();
    }

    private void AddUpdate(Observation observation, int member, RequestState request, Segment? before, Segment update)
    {
        var transaction = Base(observation, member, request) with { Plain = before?.Steps ?? [], Update = update.Steps,
            Fate = update.Fate };
        var writes = update.Writes() || before is not null;
        if (!update.IsStored() && !update.IsUncertain())
        {
            if (before is not null)
                AddRead(transaction with { Update = [] });
            if (writes)
                _refused.Add(transaction with { Kind = Kind.Write, IsOptional = true });
            return;
        }
        if (before is not null)
            transaction = transaction with { Carried = [.. request.Carried], CarriedExcept = request.ChangedSince };
        if (writes)
            AddWrite(transaction, update.IsUncertain(), request);
        else if (update.IsStored())
            AddRead(transaction);
        request.HasCommitted |= update.IsStored();
        request.ChangedSince = [.. request.ChangedSince,
            .. transaction.Steps.Where(executed => executed.Step.Writes()).Select(Touched.TopOf)];
    }

    private void AddWrite(Transaction transaction, bool isOptional, RequestState request)
    {
        var kills = transaction.Steps.Any(executed => executed.Step.Op == Op.Login && executed.Succeeded());
        var destroys = transaction.Steps.Any(executed => executed.Step.Op == Op.Destroy && executed.Succeeded());
        if (kills && !destroys)
            request.Epoch = EpochAfterLogin(transaction.Member);
        _placed.Add(transaction with
        {
            Kind = Kind.Write,
            IsOptional = isOptional,
            Destroys = destroys,
            NewEpoch = kills && !destroys ? request.Epoch : null,
        });
        request.IsDestroyed = destroys;
    }

    /// <summary>The cookie of a login names its epoch; a login that was not told to a browser has one that nobody holds.</summary>
    private int EpochAfterLogin(int member)
    {
        var observation = _lineage.Members[member];
        return observation.WasNew == false && observation.NewCookie is { } issued && issued != observation.Cookie
            ? _lineage.EpochOf(issued)
            : observation.WasNew == true ? _lineage.EpochOf(observation.NewCookie) : -2 - member;
    }

    private void AddRead(Transaction transaction)
    {
        if (transaction.Steps.Any(executed => executed.Answer is not null))
            _placed.Add(transaction with { Kind = Kind.Read });
    }

    private void AddScript(Observation observation, int member)
    {
        var open = new List<Step>();
        var request = new RequestState { Epoch = _lineage.EpochOf(observation) };
        foreach (var step in observation.Request.Steps)
        {
            if (step.Op == Op.Discard)
                open.Clear();
            else if (step.Op is not (Op.CancelledCommit or Op.CancelledUpdate or Op.Commit))
                open.Add(step);
            if (step.Op is Op.Commit or Op.Update)
                Close();
        }
        Close();

        void Close()
        {
            if (open.SelectMany(Steps.All).Any(Steps.Writes))
                _placed.Add(Base(observation, member, request) with
                {
                    Kind = Kind.Script,
                    Script = [.. open],
                    IsOptional = true,
                    NewEpoch = -2 - member,
                    Destroys = open.SelectMany(Steps.All).Any(step => step.Op == Op.Destroy),
                });
            open.Clear();
        }
    }

    private static Transaction Base(Observation observation, int member, RequestState request) => new()
    {
        Kind = Kind.Read,
        Request = observation.Request.Id,
        Member = member,
        Browser = observation.Browser,
        Began = observation.Began,
        Ended = observation.Ended,
        At = observation.At,
        IsLater = request.HasCommitted,
        IsReadOnly = observation.Request.Access == SessionAccess.ReadOnly,
        Epoch = request.Epoch,
    };

    /// <summary>What a request has done so far.</summary>
    private sealed class RequestState
    {
        public int Epoch { get; set; }

        public bool HasCommitted { get; set; }

        public bool IsDestroyed { get; set; }

        public List<Executed> Carried { get; set; } = [];

        public IReadOnlyList<string> ChangedSince { get; set; } = [];
    }
}
