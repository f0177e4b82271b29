using System.Globalization;

namespace RedisSessions.Consistency.Scripts;

/// <summary>Makes random requests over all operations. The same seed and profile make the same requests.</summary>
internal sealed class Generator(Random random, GeneratorProfile profile)
{
    /// <summary>The list that a share of the writing transactions pushes its id to.</summary>
    public const string Order = "order";

    private readonly Operations _operations = new(random, profile);
    private int _requests;

    /// <summary>The next request.</summary>
    /// <param name="browser">Who sends it; part of its id.</param>
    public Request Next(int browser)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"b{browser}r{++_requests}");
        var steps = new List<Step>();
        var count = random.Next(1, profile.MaxSteps + 1);
        var transactions = 0;
        for (var i = 0; i < count; i++)
            Add(steps, id, ref transactions);
        if (steps.LastOrDefault() is not { Op: Op.Commit or Op.Update })
            PushOrder(steps, From(steps), id, ref transactions);
        return new Request(id, steps) { Access = random.Next(40) < profile.ReadOnly ? SessionAccess.ReadOnly : SessionAccess.Optimistic };
    }

    private void Add(List<Step> steps, string id, ref int transactions)
    {
        var kind = Pick(
            profile.Values + profile.Lists + profile.Literals + profile.Flash + profile.Lifetimes + profile.All + profile.Rotation
                + profile.Login + profile.Logout,
            profile.Updates, profile.Commits, profile.Cancelled, profile.Caught, profile.Waits, profile.Discards, profile.Values / 3);
        switch (kind)
        {
            case 0: steps.Add(_operations.Next(inUpdate: false)); break;
            case 1: steps.Add(Update(Op.Update, id, ref transactions)); break;
            case 2:
                PushOrder(steps, From(steps), id, ref transactions);
                steps.Add(new Step(Op.Commit));
                break;
            case 3: steps.Add(Cancelled(id, ref transactions)); break;
            case 4: steps.Add(new Step(Op.Try) { Then = [_operations.Refusable(), _operations.Next(inUpdate: false)] }); break;
            case 5: steps.Add(new Step(Op.Wait) { Number = random.Next(profile.MaxWait) + 1 }); break;
            case 6: steps.Add(new Step(Op.Discard)); break;
            default: steps.Add(_operations.Condition(inUpdate: false)); break;
        }
    }

    private Step Update(Op op, string id, ref int transactions)
    {
        var steps = new List<Step>();
        var count = random.Next(1, 4);
        for (var i = 0; i < count; i++)
        {
            switch (Pick(12, profile.Caught, profile.Waits, 4))
            {
                case 0: steps.Add(_operations.Next(inUpdate: true)); break;
                case 1: steps.Add(new Step(Op.Try) { Then = [_operations.Refusable(), _operations.Next(inUpdate: true)] }); break;
                case 2: steps.Add(new Step(Op.Wait) { Number = random.Next(profile.MaxWait) + 1 }); break;
                default: steps.Add(_operations.Condition(inUpdate: true)); break;
            }
        }
        PushOrder(steps, 0, id, ref transactions);
        if (random.Next(30) < profile.Throws)
            steps.Insert(random.Next(steps.Count + 1), new Step(Op.Throw));
        return new Step(op) { Then = steps };
    }

    private Step Cancelled(string id, ref int transactions) =>
        random.Next(2) == 0 ? new Step(Op.CancelledCommit) : Update(Op.CancelledUpdate, id, ref transactions);

    /// <summary>Where the transaction that is open at the end of these steps began.</summary>
    private static int From(List<Step> steps) =>
        steps.FindLastIndex(step => step.Op is Op.Commit or Op.Update or Op.CancelledUpdate or Op.Discard) + 1;

    private void PushOrder(List<Step> steps, int from, string id, ref int transactions)
    {
        var writes = steps.Skip(from).SelectMany(Steps.All).Any(Steps.Writes);
        if (!writes || random.Next(100) >= profile.Order || steps.Skip(from).Any(step => step.Op == Op.Destroy))
            return;
        steps.Add(
            new Step(Op.Push) { Path = Order, Value = Json.Write(string.Create(CultureInfo.InvariantCulture, $"{id}.{++transactions}")) });
    }

    private int Pick(params ReadOnlySpan<int> weights) => Weighted.Pick(random, weights);
}
