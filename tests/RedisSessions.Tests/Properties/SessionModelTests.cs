using CsCheck;
using RedisSessions.Tests.Support;
using RedisSessions.Tests.Values;
using RedisSessions.Values;

namespace RedisSessions.Tests.Properties;

/// <summary>Laws that hold for any operations on any values.</summary>
public sealed class SessionModelTests
{
    private const int Iterations = 3_000;
    private readonly Engine _engine = new();

    [Fact]
    public void A_session_is_a_nested_dictionary() => Gen.Select(Operation.Tree, Operation.List).Sample((start, operations) =>
    {
        var session = Session(start);
        var model = Model.From(start);
        foreach (var operation in operations)
        {
            var expected = operation.Run(model);
            Assert.Equal(expected, operation.Run(session));
            Assert.Equal(model.Text(), Given.Text(session.All()));
        }

        Assert.Equal(model.Text(), Given.Text(SessionTree.Read(session.Work.View.ToPayload())));
    }, iter: Iterations);

    [Fact]
    public void Replaying_the_changes_on_any_other_values_is_running_the_operations_there() =>
        Gen.Select(Operation.Tree, Operation.Tree, Operation.List).Sample((here, there, operations) =>
        {
            var session = Session(here);
            var elsewhere = Session(there);
            foreach (var operation in operations)
            {
                // Only what was written here is in the log: an increment of a string fails and is not.
                if (operation.Writes && operation.Run(session) != Operation.Refused && operation.Run(elsewhere) == Operation.Refused)
                {
                    var refused = Rebase.Apply(Tree(here), ReadSet.None, session.Work.Changes, Payload(there));
                    Assert.Equal(operation.Key, refused.Path.Text);
                    return;
                }
            }

            var replayed = Rebase.Apply(Tree(here), ReadSet.None, session.Work.Changes, Payload(there));
            Assert.Equal(Given.Text(elsewhere.Work.View), Given.Text(replayed.Tree!));
        }, iter: Iterations);

    [Fact]
    public void Rebasing_on_what_nobody_has_changed_is_the_session_itself_byte_for_byte() =>
        Gen.Select(Operation.Tree, Operation.List).Sample((start, operations) =>
        {
            var session = Session(start);
            foreach (var operation in operations)
                operation.Run(session);
            var rebased = Rebase.Apply(Tree(start), session.Work.Reads, session.Work.Changes, Payload(start));
            Assert.Equal(session.Work.View.ToPayload().ToArray(), rebased.Tree!.ToPayload().ToArray());
        }, iter: Iterations);

    [Fact]
    public void Rebasing_twice_is_rebasing_once_onto_the_last() =>
        Gen.Select(Operation.Tree, Operation.Tree, Operation.Tree, Operation.List).Sample((start, second, third, operations) =>
        {
            var session = Session(start);
            foreach (var operation in operations.Where(operation => operation.Writes))
                operation.Run(session);
            var direct = Rebase.Apply(Tree(start), ReadSet.None, session.Work.Changes, Payload(third));
            session.Work.RebaseOn(Tree(second), whateverWasRead: true);
            var again = session.Work.RebaseOn(Tree(third), whateverWasRead: true);
            Assert.Equal(direct.Tree is null, again is not null);
            if (direct.Tree is not null)
                Assert.Equal(Given.Text(direct.Tree), Given.Text(session.Work.View));
        }, iter: Iterations);

    [Fact]
    public void Changes_of_different_keys_commute() =>
        Gen.Select(Operation.Tree, Operation.List, Operation.List).Sample((start, mine, theirs) =>
        {
            // Two requests, each under a key of its own; so neither can make the other's changes inapplicable.
            var payload = Payload(start);
            var (first, second) = (Log(start, mine, "mine"), Log(start, theirs, "theirs"));
            var onlyFirst = Rebase.Apply(Tree(start), first.Work.Reads, first.Work.Changes, payload).Tree!;
            var onlySecond = Rebase.Apply(Tree(start), second.Work.Reads, second.Work.Changes, payload).Tree!;
            var both = Rebase.Apply(Tree(start), second.Work.Reads, second.Work.Changes, onlyFirst.ToPayload());
            var other = Rebase.Apply(Tree(start), first.Work.Reads, first.Work.Changes, onlySecond.ToPayload());
            Assert.Equal(Given.Text(both.Tree!), Given.Text(other.Tree!));
        }, iter: Iterations);

    private Session Log((string, object?)[] start, Operation[] operations, string under)
    {
        var session = Session(start);
        foreach (var operation in operations.Where(operation => operation is not Operation.ClearAll))
            (operation with { Key = under + "." + operation.Key }).Run(session);
        return session;
    }

    private Session Session((string, object?)[] start)
    {
        var session = new Session(_engine.Manager, null, Tree(start), SessionAccess.Optimistic, default);
        return session;
    }

    private static SessionTree Tree((string, object?)[] values) => SessionTree.Read(Payload(values));

    private static ReadOnlyMemory<byte> Payload((string, object?)[] values) => Given.Tree(values).ToPayload();
}
