using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using static RedisSessions.Consistency.Tests.Support.Histories;

namespace RedisSessions.Consistency.Tests;

/// <summary>What the judge says of flash data, literals, looks at everything, and updates that only act.</summary>
public sealed class FlashOrderTests
{
    [Fact]
    public void A_flashed_value_is_pulled_once() => Breaks(
        Codes.FlashPulledTwice,
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 9, Plain(Pull("f", "\"m\""))), Request("q", 3, 8, Plain(Pull("f", "\"m\"")))),
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 9, Plain(Pull("f", "\"m\""))), Request("q", 3, 8, Plain(Pull("f", "null")))));

    [Fact]
    public void The_next_request_sees_a_flashed_value() => Breaks(
        Codes.FlashVanished,
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 3, Plain(Get("f", "null")))),
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 3, Plain(Get("f", "\"m\""))), Request("q", 4, 5, Plain(Get("f", "null")))));

    [Fact]
    public void A_request_removes_only_what_it_saw() => Breaks(
        Codes.FlashVanished,
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 9, Plain(Get("f", "\"m\""))), Request("q", 3, 8, Plain(Flash("f", "\"w\""))),
            Request("s", 10, 11, Plain(Get("f", "null")))),
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 9, Plain(Get("f", "\"m\""))), Request("q", 3, 8, Plain(Flash("f", "\"w\""))),
            Request("s", 10, 11, Plain(Get("f", "\"w\"")))));

    [Fact]
    public void A_flashed_value_goes_after_the_next_request() => Breaks(
        Codes.FlashNotGuarded,
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 3, Plain(Get("f", "\"m\""))), Request("q", 4, 5, Plain(Get("f", "\"m\"")))),
        Of(Visit(Flash("f", "\"m\"")), Request("p", 2, 3, Plain(Does(Op.Keep, "f"))), Request("q", 4, 5, Plain(Get("f", "\"m\"")))));

    [Fact]
    public void A_decision_on_a_flashed_value_is_a_read() => Breaks(
        Codes.FlashNotGuarded,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Has("f", false), Set("a", "1"))),
            Request("q", 3, 8, Update(Get("a", "0"), Flash("f", "\"m\""))), Last("{\"a\":1,\"f\":\"m\"}")),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(Has("f", false), Set("a", "1"))),
            Request("q", 3, 8, Update(Get("a", "1"), Flash("f", "\"m\""))), Last("{\"a\":1,\"f\":\"m\"}")));

    [Fact]
    public void An_update_acts_on_current_values() => Breaks(
        Codes.UpdateActedOnStale,
        Of(Visit(Set("n", "0")), Request("p", 2, 3, Plain(Set("n", "1"))),
            Request("q", 4, 5, Update(Get("n", "0"), Does(Op.SetIdleTimeout, number: 900))), Last("{\"n\":1}")),
        Of(Visit(Set("n", "0")), Request("p", 2, 3, Plain(Set("n", "1"))),
            Request("q", 4, 5, Update(Get("n", "1"), Does(Op.SetIdleTimeout, number: 900))), Last("{\"n\":1}")));

    [Fact]
    public void An_update_that_ends_the_session_acts_on_current_values() => Breaks(
        Codes.UpdateActedOnStale,
        Of(Visit(Set("n", "0")), Request("p", 2, 3, Plain(Set("n", "1"))), Request("q", 4, 5, Update(Get("n", "0"), Does(Op.Destroy)))),
        Of(Visit(Set("n", "0")), Request("p", 2, 5, Plain(Set("n", "1"))),
            Request("q", 4, 5, Update(Get("n", "0"), Does(Op.Destroy)))) is var late
            ? late with { Observations = [late.Observations[0],
                late.Observations[1] with { Segments = [Plain(Set("n", "1")).As(Fate.Ended)] }, late.Observations[2]] }
            : late);

    [Fact]
    public void A_literal_key_and_a_path_are_two() => Breaks(
        Codes.LiteralMeetsPath,
        Of(Visit(Does(Op.LiteralSet, "a.x", value: "\"t\"")), Request("p", 2, 3, Plain(Get("a.x", "{\"$bytes\":\"dA==\"}")))),
        Of(Visit(Does(Op.LiteralSet, "a.x", value: "\"t\"")),
            Request("p", 2, 3, Plain(Get("a.x", "null"), Does(Op.LiteralGet, "a.x", "\"t\"")))));

    [Fact]
    public void A_look_at_everything_is_a_read() => Breaks(
        Codes.WholeReadNotGuarded,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(All("{\"a\":0}"), Set("b", "1"))),
            Request("q", 3, 8, Update(Get("b", "null"), Set("a", "1")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Plain(All("{\"a\":0}"), Set("b", "1"))),
            Request("q", 3, 8, Update(Get("b", "1"), Set("a", "1")))));

    [Fact]
    public void Lifetimes_are_stored() => Breaks(
        Codes.StaleRead,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Does(Op.SetIdleTimeout, number: 900))),
            Request("q", 4, 5, Plain(Does(Op.GetLifetimes, answer: "[1200,43200]"))),
            Request("s", 6, 7, Plain(Does(Op.GetLifetimes, answer: "[900,43200]")))),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Plain(Does(Op.SetIdleTimeout, number: 900))),
            Request("q", 4, 5, Plain(Does(Op.GetLifetimes, answer: "[900,43200]")))));
}
