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
            foreach (var operation in operations.Where(operation => operation.Writes))
            {
                // Only what was written here is in the log: an increment of a string fails and is not.
                if (operation.Run(session) != Operation.Refused && operation.Run(elsewhere) == Operation.Refused)
                {
                    Assert.Equal(operation.Key, session.Work.RebaseOn(Tree(there), whateverWasRead: true)?.Text);
                    return;
                }
            }

            Assert.Null(session.Work.RebaseOn(Tree(there), whateverWasRead: true));
            Assert.Equal(Given.Text(elsewhere.Work.View), Given.Text(session.Work.View));
        }, iter: Iterations);

    [Fact]
    public void Rebasing_on_what_nobody_has_changed_is_the_session_itself_byte_for_byte() =>
        Gen.Select(Operation.Tree, Operation.List).Sample((start, operations) =>
        {
            var session = Ran(start, operations);
            var before = session.Work.View.ToPayload().ToArray();
            Assert.Null(session.Work.RebaseOn(Tree(start), whateverWasRead: false));
            Assert.Equal(before, session.Work.View.ToPayload().ToArray());
        }, iter: Iterations);

    [Fact]
    public void Rebasing_twice_is_rebasing_once_onto_the_last() =>
        Gen.Select(Operation.Tree, Operation.Tree, Operation.Tree, Operation.List).Sample((start, second, third, operations) =>
        {
            var (once, twice) = (Ran(start, operations), Ran(start, operations));
            twice.Work.RebaseOn(Tree(second), whateverWasRead: true);
            var path = once.Work.RebaseOn(Tree(third), whateverWasRead: true);
            Assert.Equal(path, twice.Work.RebaseOn(Tree(third), whateverWasRead: true));
            if (path is null)
                Assert.Equal(Given.Text(once.Work.View), Given.Text(twice.Work.View));
        }, iter: Iterations);

    [Fact]
    public void Changes_of_different_keys_commute_and_no_read_stands_against_them() =>
        Gen.Select(Operation.Tree, Operation.List, Operation.List).Sample((start, mine, theirs) =>
        {
            // Two requests, each under a key of its own, and each is the first to commit once.
            string[] results = [Committed("mine", "theirs"), Committed("theirs", "mine")];
            Assert.Equal(results[0], results[1]);

            string Committed(string first, string second)
            {
                var (winner, late) = (Under(first), Under(second));
                Assert.Null(late.Work.RebaseOn(SessionTree.Read(winner.Work.View.ToPayload()), whateverWasRead: false));
                return Given.Text(late.Work.View);
            }

            Session Under(string key) => Ran(start, [.. (key == "mine" ? mine : theirs)
                .Where(operation => operation is not Operation.ClearAll).Select(operation => operation with { Key = $"{key}.{operation.Key}" })]);
        }, iter: Iterations);

    [Fact]
    public void What_no_change_touches_is_as_it_was() => Gen.Select(Operation.Tree, Operation.List).Sample((start, operations) =>
    {
        var session = Ran(start, operations);
        foreach (var path in operations.Where(operation => operation.Key.Length > 0).Select(operation => SessionPath.Parse(operation.Key)))
            Assert.True(session.Work.Changes.Touches(path) || session.Work.Snapshot.SameAt(path, session.Work.View), path.Text);
    }, iter: Iterations);

    private Session Ran((string, object?)[] start, Operation[] operations)
    {
        var session = Session(start);
        foreach (var operation in operations)
            operation.Run(session);
        return session;
    }

    private Session Session((string, object?)[] start) => new(_engine.Manager, null, Tree(start), SessionAccess.Optimistic, default);

    private static SessionTree Tree((string, object?)[] values) => SessionTree.Read(Given.Tree(values).ToPayload());
}
