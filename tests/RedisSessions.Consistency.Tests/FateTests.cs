using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using static RedisSessions.Consistency.Tests.Support.Histories;

namespace RedisSessions.Consistency.Tests;

/// <summary>What the judge says of answers: conflicts, ends and failures need a reason, and every request ends.</summary>
public sealed class FateTests
{
    [Fact]
    public void A_blind_write_is_not_refused() => Breaks(
        Codes.RefusedWithoutConflict,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("b", "1")).As(Fate.Refused)), Request("q", 3, 8, Plain(Set("b", "2")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("b", "null"), Set("b", "1")).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Set("b", "2")))));

    [Fact]
    public void A_conflict_concerns_what_was_read() => Breaks(
        Codes.RefusedWithoutConflict,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1")).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Set("c", "2")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Set("b", "1")).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Does(Op.Clear)))));

    [Fact]
    public void A_conflict_is_with_a_request_beside_it() => Breaks(
        Codes.RefusedWithoutConflict,
        Of(Visit(Set("a", "0")), Request("p", 4, 9, Plain(Get("a", "1"), Set("b", "1")).As(Fate.Refused)),
            Request("q", 2, 3, Plain(Set("a", "1")))),
        Of(Visit(Set("a", "0")), Request("p", 4, 9, Plain(Get("a", "0"), Set("b", "1")).As(Fate.Refused)),
            Request("q", 2, 5, Plain(Set("a", "1")))));

    [Fact]
    public void A_login_after_a_read_rests_on_everything() => Breaks(
        Codes.RefusedWithoutConflict,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Does(Op.Login)).As(Fate.Refused)), Request("q", 3, 8, Plain(Set("c", "2")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Get("a", "0"), Does(Op.Login)).As(Fate.Refused)),
            Request("q", 3, 8, Plain(Set("c", "2")))));

    [Fact]
    public void A_session_ends_only_by_somebody() => Breaks(
        Codes.EndedWithoutEnd,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("b", "1")).As(Fate.Ended)), Request("q", 3, 8, Plain(Set("c", "2")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Set("b", "1")).As(Fate.Ended)), Request("q", 3, 8, Plain(Does(Op.Destroy)))));

    [Fact]
    public void A_failure_needs_a_fault() => Breaks(
        Codes.FailedWithoutFault,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1")).As(Fate.Unknown))),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1")).As(Fate.Unknown))) with { Rules = new() { StoreMayFail = true } });

    [Fact]
    public void A_commit_that_was_cancelled_before_it_was_sent_leaves_no_trace() => Breaks(
        Codes.CancellationPoisons,
        Of(Visit(Set("a", "0")),
            Request("p", 2, 3, Plain(Set("b", "1"), Does(Op.CancelledCommit, answer: "!Cancelled"), Set("c", "1")).As(Fate.Unknown))),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1"), Does(Op.CancelledCommit, answer: "!Cancelled"), Set("c", "1"))),
            Last("{\"a\":0,\"b\":1,\"c\":1}")));

    [Fact]
    public void An_update_that_was_cancelled_leaves_no_trace_either()
    {
        var cancelled = Update().As(Fate.Abandoned);
        var request = Request("p", 2, 3, cancelled, Plain(Set("b", "1")).As(Fate.Unknown));
        Breaks(
            Codes.CancellationPoisons,
            Of(Visit(Set("a", "0")), request with { Request = new("p", [new(Op.CancelledUpdate) { Then = [] }]) }),
            Of(Visit(Set("a", "0")), Request("p", 2, 3, cancelled, Plain(Set("b", "1")))));
    }

    [Fact]
    public void Every_answer_is_one_that_is_promised() => Breaks(
        Codes.BrokenAnswer,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1")).As(Fate.Broken, "500"))),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Set("b", "1")).As(Fate.Committed))));

    [Fact]
    public void Every_request_ends() => Breaks(
        Codes.NeverAnswered,
        Of(Visit(Set("a", "0")), Request("p", 2, long.MaxValue, Plain(Set("b", "1")).As(Fate.NoAnswer))),
        Of(Visit(Set("a", "0")),
            Request("p", 2, long.MaxValue, Plain(Set("b", "1")).As(Fate.NoAnswer))) with { Events = [new(3, "kill 0")] });
}
