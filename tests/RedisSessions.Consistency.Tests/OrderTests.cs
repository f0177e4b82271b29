using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using static RedisSessions.Consistency.Tests.Support.Histories;

namespace RedisSessions.Consistency.Tests;

/// <summary>
/// What the judge says of the order of transactions: each code with a history that breaks it, and the nearest one that does not.
/// </summary>
public sealed class OrderTests
{
    [Fact]
    public void Write_skew_has_no_order() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Update(Push("l", "1"), Has("l.1", false))),
            Request("q", 3, 8, Update(Push("l", "2"), Has("l.1", false))), Last("{\"a\":0,\"l\":[1,2]}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Update(Push("l", "1"), Has("l.1", false))),
            Request("q", 3, 8, Update(Push("l", "2"), Has("l.1", true))), Last("{\"a\":0,\"l\":[1,2]}")));

    [Fact]
    public void A_read_of_plain_code_that_writes_holds_at_its_place() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("b", "null"), Set("a", "1"))), Last("{\"a\":1,\"b\":1}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("b", "1"), Set("a", "1"))), Last("{\"a\":1,\"b\":1}")));

    [Fact]
    public void A_plain_segment_has_one_snapshot() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Get("b", "1"))),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":1}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "1"), Get("b", "1"))),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":1}")));

    [Fact]
    public void A_refused_plain_segment_has_one_snapshot_too() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Get("b", "1"), Set("c", "1")).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":1}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Get("b", "null"), Set("c", "1")).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":1}")));

    [Fact]
    public void The_sum_of_an_increment_is_exact_in_an_update() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Update(Increment("n", 1))), Request("q", 3, 8, Update(Increment("n", 1))),
            Last("{\"n\":2}")),
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Update(Increment("n", 1))), Request("q", 3, 8, Update(Increment("n", 2))),
            Last("{\"n\":2}")));

    [Fact]
    public void The_sum_of_an_increment_is_a_hint_in_plain_code() => Breaks(
        Codes.Lost,
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Plain(Increment("n", 1))), Request("q", 3, 8, Plain(Increment("n", 1))),
            Last("{\"n\":1}")),
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Plain(Increment("n", 1))), Request("q", 3, 8, Plain(Increment("n", 1))),
            Last("{\"n\":2}")));

    [Fact]
    public void A_plain_read_after_an_own_increment_is_a_read() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Plain(Increment("n", 1), Get("n", "1"))),
            Request("q", 3, 8, Plain(Increment("n", 1), Get("n", "1"))), Last("{\"n\":2}")),
        Of(Visit(Set("n", "0")), Request("p", 2, 9, Plain(Increment("n", 1), Get("n", "1"))),
            Request("q", 3, 8, Plain(Increment("n", 1), Get("n", "2"))), Last("{\"n\":2}")));

    [Fact]
    public void A_refused_push_is_a_read() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "1")), Request("p", 2, 9, Update(Does(Op.Push, "a", "!InvalidOperationException", "1"), Set("b", "1"))),
            Request("q", 3, 8, Update(Set("a", "[]"), Get("b", "null"))), Last("{\"a\":[],\"b\":1}")),
        Of(Visit(Set("a", "1")), Request("p", 2, 9, Update(Does(Op.Push, "a", "!InvalidOperationException", "1"), Set("b", "1"))),
            Request("q", 3, 8, Update(Set("a", "[]"), Get("b", "1"))), Last("{\"a\":[],\"b\":1}")));

    [Fact]
    public void What_was_read_before_an_update_counts_at_the_next_plain_commit() => Breaks(
        Codes.CarriedReadNotGuarded,
        Of(Visit(Set("a", "0")),
            Request("p", 2, 9, Plain(Get("a", "0")) with { WithNext = true }, Update(Get("b", "1"), Set("b", "2")), Plain(Set("c", "1"))),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":2,\"c\":1}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0")) with { WithNext = true }, Update(Get("b", "1"), Set("b", "2"))),
            Request("q", 3, 8, Plain(Set("a", "1"), Set("b", "1"))), Last("{\"a\":1,\"b\":2}")));

    [Fact]
    public void Plain_changes_and_the_update_after_them_are_one() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("a", "1")) with { WithNext = true }, Update(Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("a", "1"), Get("b", "null")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("a", "1")) with { WithNext = true }, Update(Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("a", "1"), Get("b", "1")))));

    [Fact]
    public void A_read_sees_what_was_acknowledged_before() => Breaks(
        Codes.StaleRead,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("a", "1"))), Request("q", 4, 5, Plain(Get("a", "0"))), Last("{\"a\":1}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 4, Plain(Set("a", "1"))), Request("q", 3, 5, Plain(Get("a", "0"))), Last("{\"a\":1}")));

    [Fact]
    public void A_near_cache_is_as_old_as_its_bound() => Breaks(
        Codes.StaleRead,
        Near(Request("q", 40, 41, Plain(Get("a", "0"))).At(4_000), Request("y", 20, 21).At(1_000)),
        Near(Request("q", 40, 41, Plain(Get("a", "0"))).At(1_500), Request("y", 20, 21).At(1_000)));

    [Fact]
    public void A_browser_reads_its_own_writes_from_a_near_cache_too() => Breaks(
        Codes.ReadYourWrites,
        Near(Request("q", 40, 41, Plain(Get("a", "0"))).At(50).By('p')),
        Near(Request("q", 40, 41, Plain(Get("a", "1"))).At(50).By('p')));

    [Fact]
    public void An_acknowledged_change_is_there() => Breaks(
        Codes.Lost,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1"))), Request("q", 4, 5, Plain(Set("c", "2"))),
            Last("{\"a\":0,\"c\":2}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1")).As(Fate.Unknown)), Request("q", 4, 5, Plain(Set("c", "2"))),
            Last("{\"a\":0,\"c\":2}")) with { Rules = new() { StoreMayFail = true } });

    [Fact]
    public void An_acknowledged_push_is_in_the_list_of_commits() => Breaks(
        Codes.Lost,
        Of(Visit(Push("order", "\"v\"")), Request("p", 2, 9, Plain(Push("order", "\"p\""))), Last("{\"order\":[\"v\"]}")),
        Of(Visit(Push("order", "\"v\"")), Request("p", 2, 9, Plain(Push("order", "\"p\"")).As(Fate.Ended)),
            Request("q", 3, 4, Plain(Does(Op.Rotate))).With(1, 2), Last("{\"order\":[\"v\"]}").With(2)));

    [Fact]
    public void A_push_is_there_once() => Breaks(
        Codes.Twice,
        Of(Visit(Push("order", "\"v\"")), Last("{\"order\":[\"v\",\"v\"]}")),
        Of(Visit(Push("order", "\"v\"")), Request("p", 2, 3, Plain(Push("order", "\"w\""))), Last("{\"order\":[\"v\",\"w\"]}")));

    [Fact]
    public void An_increment_counts_once() => Breaks(
        Codes.Twice,
        Of(Visit(Set("n", "0")), Request("p", 2, 3, Plain(Increment("n", 1))), Last("{\"n\":2}")),
        Of(Visit(Set("n", "0")), Request("p", 2, 3, Plain(Increment("n", 1))), Last("{\"n\":1}")));

    [Fact]
    public void A_refused_push_is_not_in_the_list_of_commits() => Breaks(
        Codes.AppliedThoughRefused,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Push("order", "\"p\"")).As(Fate.Refused)),
            Request("q", 3, 4, Plain(Set("a", "1"))), Last("{\"a\":1,\"order\":[\"p\"]}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Push("order", "\"p\"")).As(Fate.Refused)),
            Request("q", 3, 4, Plain(Set("a", "1"))), Last("{\"a\":1}")));

    [Fact]
    public void A_refused_change_is_not_there() => Breaks(
        Codes.AppliedThoughRefused,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Update(Get("a", "0"), Set("b", "7")).As(Fate.Refused)),
            Request("q", 3, 4, Plain(Set("a", "1"))), Last("{\"a\":1,\"b\":7}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Update(Get("a", "0"), Set("b", "7")).As(Fate.Refused)),
            Request("q", 3, 4, Plain(Set("a", "1"))), Last("{\"a\":1}")));

    [Fact]
    public void A_discarded_change_is_not_there() => Breaks(
        Codes.AppliedThoughAbandoned,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("b", "7")).As(Fate.Abandoned)), Last("{\"a\":0,\"b\":7}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("b", "7")).As(Fate.Abandoned)), Last("{\"a\":0}")));

    [Fact]
    public void An_unknown_change_takes_effect_whole_or_not_at_all() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("a", "1"), Set("b", "1")).As(Fate.Unknown)),
            Request("q", 5, 6, Plain(Get("a", "0"))), Last("{\"a\":1}")) with { Rules = new() { StoreMayFail = true } },
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("a", "1"), Set("b", "1")).As(Fate.Unknown)),
            Request("q", 5, 6, Plain(Get("a", "0"))), Last("{\"a\":1,\"b\":1}")) with { Rules = new() { StoreMayFail = true } });

    [Fact]
    public void A_request_that_nobody_saw_end_may_have_done_its_part() => Breaks(
        Codes.NotSerializable,
        Killed("{\"a\":2,\"b\":1}"),
        Killed("{\"a\":1,\"b\":1}"));

    [Fact]
    public void A_roll_back_takes_the_last_commits_and_lets_nobody_overwrite() => Breaks(
        Codes.Lost,
        RolledBack("{\"a\":0,\"c\":1}"),
        RolledBack("{\"a\":0,\"b\":2,\"c\":1}"));

    [Fact]
    public void Last_write_wins_replays_all_the_same() => Breaks(
        Codes.Lost,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("b", "null"), Set("a", "1"))), Last("{\"a\":1}")) with { Rules = new() { LastWriteWins = true } },
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1"))),
            Request("q", 3, 8, Plain(Get("b", "null"), Set("a", "1"))),
            Last("{\"a\":1,\"b\":1}")) with { Rules = new() { LastWriteWins = true } });

    [Fact]
    public void A_search_that_is_given_up_is_no_pass()
    {
        var requests = Enumerable.Range(0, 24).Select(i => Request($"r{i}", 2, 900, Plain(Set($"k{i}", "1"), Push("l", $"{i}"))));
        var history = Of([Visit(Set("a", "0")), .. requests, Request("z", 901, 902, Plain(Get("l", "[5]")))]);
        Assert.Equal([Codes.Undecided], CodesOf(history));
    }

    private static RunHistory Near(params Observation[] last) =>
        Of([Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("a", "1"))), .. last, Last("{\"a\":1}")])
        with { Rules = new() { Staleness = TimeSpan.FromSeconds(2) } };

    private static RunHistory Killed(string all)
    {
        var asked = new Request("p", [new(Op.Set) { Path = "a", Value = "1" }, new(Op.Set) { Path = "b", Value = "1" }]);
        var unseen = Request("p", 2, long.MaxValue) with { Request = asked, WasNew = null };
        return Of(Visit(Set("a", "0")), unseen, Last(all)) with { Events = [new(3, "kill 0")] };
    }

    private static RunHistory RolledBack(string all) => Of(
        Visit(Set("a", "0")),
        Request("p", 2, 3, Plain(Set("a", "1"))),
        Request("q", 6, 7, Plain(Set("b", "2"))),
        Request("s", 4, 9, Plain(Set("c", "1"))),
        Last(all)) with { Events = [new(5, "rollback")], Rules = new() { MayLoseAcknowledged = true } };
}
