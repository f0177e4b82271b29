using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>What happens to a request's changes when somebody else was faster. No clock, no task, no mock: four values in, one out.</summary>
public sealed class RebaseTests
{
    [Fact]
    public void Sets_of_different_keys_both_survive() =>
        Assert.Equal("{mine: 1, theirs: 2}", Replayed(Tree(), Reads(), Changes(Set("mine", 1)), Tree(("theirs", 2))));

    [Fact]
    public void Sets_of_different_keys_of_one_map_both_survive() =>
        Assert.Equal("{a: {mine: 1, theirs: 2}}", Replayed(Tree(), Reads(), Changes(Set("a.mine", 1)), Tree(("a.theirs", 2))));

    [Fact]
    public void A_blind_set_of_the_same_key_goes_through() =>
        Assert.Equal("{k: mine}", Replayed(Tree(("k", "old")), Reads(), Changes(Set("k", "mine")), Tree(("k", "theirs"))));

    [Fact]
    public void Increments_of_two_requests_add_up() =>
        Assert.Equal("{n: 18}", Replayed(Tree(("n", 5)), Reads(), Changes(Increment("n", 3)), Tree(("n", 15))));

    [Fact]
    public void Pushes_of_two_requests_are_both_there_in_the_order_of_commits() =>
        Assert.Equal("{l: [a, theirs, mine]}", Replayed(
            Tree(("l", new[] { "a" })), Reads(), Changes(Push("l", "mine")), Tree(("l", new[] { "a", "theirs" }))));

    [Fact]
    public void A_prepend_goes_before_what_others_have_added() =>
        Assert.Equal("{l: [mine, theirs, a]}", Replayed(
            Tree(("l", new[] { "a" })), Reads(), Changes(Prepend("l", "mine")), Tree(("l", new[] { "theirs", "a" }))));

    [Fact]
    public void A_push_to_a_list_that_somebody_has_removed_begins_a_new_one() =>
        Assert.Equal("{l: [mine]}", Replayed(Tree(("l", new[] { "a" })), Reads(), Changes(Push("l", "mine")), Tree()));

    [Fact]
    public void Removing_what_somebody_else_has_removed_is_done() =>
        Assert.Equal("{other: 1}", Replayed(Tree(("k", 1)), Reads(), Changes(Remove("k")), Tree(("other", 1))));

    [Fact]
    public void Removing_takes_away_the_newer_value_too() =>
        Assert.Equal("{}", Replayed(Tree(("k", 1)), Reads(), Changes(Remove("k")), Tree(("k", 2))));

    [Fact]
    public void Clearing_takes_away_what_others_have_set_meanwhile() =>
        Assert.Equal("{}", Replayed(Tree(("k", 1)), Reads(), Changes(Clear()), Tree(("k", 1), ("theirs", 2))));

    [Fact]
    public void Changes_are_replayed_in_their_order() =>
        Assert.Equal("{k: {b: 2}, n: 1}", Replayed(
            Tree(), Reads(), Changes(Set("k.a", 1), Remove("k.a"), Clear(), Set("k.b", 2), Increment("n")), Tree(("theirs", 1))));

    [Fact]
    public void A_read_value_that_has_changed_refuses_and_names_the_path() =>
        Assert.Equal("account.balance", Refused(
            Tree(("account.balance", 100)), Reads("account.balance"), Changes(Set("order", 1)), Tree(("account.balance", 50))));

    [Fact]
    public void A_read_value_that_has_disappeared_refuses() =>
        Assert.Equal("k", Refused(Tree(("k", 1)), Reads("k"), Changes(Set("x", 1)), Tree()));

    [Fact]
    public void A_read_of_nothing_that_has_become_something_refuses() =>
        Assert.Equal("k", Refused(Tree(), Reads("k"), Changes(Set("x", 1)), Tree(("k", 1))));

    [Fact]
    public void Null_and_missing_are_different_to_a_reader() =>
        Assert.Equal("k", Refused(Tree(), Reads("k"), Changes(Set("x", 1)), Tree(("k", null))));

    [Fact]
    public void A_read_map_refuses_when_anything_inside_it_has_changed() =>
        Assert.Equal("cart", Refused(Tree(("cart.items.0", 1)), Reads("cart"), Changes(Set("x", 1)), Tree(("cart.items.0", 2))));

    [Fact]
    public void A_read_value_is_compared_although_the_request_set_it_afterwards() =>
        Assert.Equal("n", Refused(Tree(("n", 1)), Reads("n"), Changes(Set("n", 2)), Tree(("n", 7))));

    [Fact]
    public void The_first_path_that_was_read_is_named_of_several_that_differ() =>
        Assert.Equal("b", Refused(Tree(), Reads("same", "b", "a"), Changes(Set("x", 1)), Tree(("a", 1), ("b", 1))));

    [Fact]
    public void Reads_that_still_hold_let_the_changes_through() =>
        Assert.Equal("{a: 1, theirs: 2, x: 1}", Replayed(Tree(("a", 1)), Reads("a", "missing"), Changes(Set("x", 1)), Tree(("a", 1), ("theirs", 2))));

    [Fact]
    public void A_value_that_was_changed_and_changed_back_is_the_same_value() =>
        Assert.Equal("{a: [1, 2], x: 1}", Replayed(Tree(("a", new[] { 1, 2 })), Reads("a"), Changes(Set("x", 1)), Tree(("a", new[] { 1, 2 }))));

    [Fact]
    public void Asking_whether_a_key_is_there_does_not_mind_its_value() =>
        Assert.Equal("{k: theirs, x: 1}", Replayed(Tree(("k", 1)), Presence("k"), Changes(Set("x", 1)), Tree(("k", "theirs"))));

    [Fact]
    public void Asking_whether_a_key_is_there_refuses_when_it_has_gone() =>
        Assert.Equal("k", Refused(Tree(("k", 1)), Presence("k"), Changes(Set("x", 1)), Tree()));

    [Fact]
    public void Asking_whether_a_key_is_there_refuses_when_it_has_come() =>
        Assert.Equal("k", Refused(Tree(), Presence("k"), Changes(Set("x", 1)), Tree(("k", null))));

    [Fact]
    public void Reading_and_asking_for_presence_of_one_path_keeps_both()
    {
        var reads = Presence("k");
        reads.Add(Path("k"), presenceOnly: false);
        Assert.Equal("k", Refused(Tree(("k", 1)), reads, Changes(Set("x", 1)), Tree(("k", 2))));
    }

    [Fact]
    public void An_increment_of_what_has_become_a_string_refuses() =>
        Assert.Equal("n", Refused(Tree(("n", 1)), Reads(), Changes(Set("x", 1), Increment("n")), Tree(("n", "one"))));

    [Fact]
    public void An_increment_that_no_longer_fits_refuses() =>
        Assert.Equal("n", Refused(Tree(("n", 1)), Reads(), Changes(Increment("n")), Tree(("n", long.MaxValue))));

    [Fact]
    public void A_push_to_what_has_become_a_map_refuses() =>
        Assert.Equal("l", Refused(Tree(("l", new[] { 1 })), Reads(), Changes(Push("l", 2)), Tree(("l.a", 1))));

    [Fact]
    public void A_refusal_changes_neither_snapshot_nor_newer_payload()
    {
        var (snapshot, newer) = (Tree(("n", 1)), Tree(("n", "one")));
        var (before, newerBefore) = (Text(snapshot), newer.ToPayload().ToArray());
        Assert.Null(Rebase.Apply(snapshot, Reads(), Changes(Set("x", 1), Increment("n")), newer).Tree);
        Assert.Equal(before, Text(snapshot));
        Assert.Equal(newerBefore, newer.ToPayload().ToArray());
    }

    [Fact]
    public void A_literal_key_and_the_path_of_the_same_text_are_compared_by_what_reading_finds()
    {
        // The snapshot holds the literal key, which wins; the newer record has lost it, so that reading finds the path's value.
        var snapshot = SessionTree.Read(SessionValue.From(new Dictionary<string, int> { ["a.b"] = 1 }).Bytes);
        Assert.Equal("a.b", Refused(snapshot, Reads("a.b"), Changes(Set("x", 1)), Tree(("a.b", 2))));
        Assert.Equal("{a: {b: 1}, x: 1}", Replayed(snapshot, Reads("a.b"), Changes(Set("x", 1)), Tree(("a.b", 1))));
    }

    [Fact]
    public void Many_reads_are_all_compared()
    {
        var paths = Enumerable.Range(0, 50).Select(i => $"k{i}").ToArray();
        var reads = Reads([.. paths, .. paths]);
        Assert.Equal(50, reads.Count);
        Assert.Equal("k49", Refused(Tree(), reads, Changes(Set("x", 1)), Tree(("k49", 1))));
    }

    private static string Replayed(SessionTree snapshot, ReadSet reads, ChangeLog changes, SessionTree newer)
    {
        var result = Rebase.Apply(snapshot, reads, changes, newer);
        Assert.True(result.Tree is not null, $"refused because of {result.Path}");
        return Text(SessionTree.Read(result.Tree.ToPayload()));
    }

    private static string Refused(SessionTree snapshot, ReadSet reads, ChangeLog changes, SessionTree newer)
    {
        var result = Rebase.Apply(snapshot, reads, changes, newer);
        Assert.Null(result.Tree);
        return result.Path.Text;
    }
}
