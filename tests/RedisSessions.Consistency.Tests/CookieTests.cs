using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;
using static RedisSessions.Consistency.Tests.Support.Histories;

namespace RedisSessions.Consistency.Tests;

/// <summary>What the judge says of ids, logins, rotations, logouts and the end of sessions.</summary>
public sealed class CookieTests
{
    private static readonly Segment Login = Plain(Does(Op.Login));
    private static readonly Segment Rotate = Plain(Does(Op.Rotate));
    private static readonly Segment Logout = Plain(Does(Op.Destroy));
    private static readonly Segment Read = Plain(Get("a", "0"));
    private static readonly Segment Nothing = Plain(Get("a", "null"));

    [Fact]
    public void A_session_that_was_ended_does_not_return() => Breaks(
        Codes.EndedSessionReturned,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Logout), Request("q", 4, 5, Read)),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Logout), Request("q", 4, 5, Nothing).New()));

    [Fact]
    public void A_request_beside_a_logout_may_have_the_session() => Breaks(
        Codes.EndedSessionReturned,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Logout), Request("q", 4, 6, Read), Request("s", 4, 7, Nothing).New()),
        Of(Visit(Set("a", "0")), Request("p", 2, 5, Logout), Request("q", 4, 6, Read), Request("s", 6, 7, Nothing).New()));

    [Fact]
    public void A_logout_ends_what_a_login_beside_it_made() => Breaks(
        Codes.EndedSessionReturned,
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Login).With(1, 2), Request("q", 3, 8, Logout), Request("s", 10, 11, Read).With(2)),
        Of(Visit(Set("a", "0")), Request("p", 2, 9, Login).With(1, 2), Request("q", 3, 8, Logout),
            Request("s", 10, 11, Nothing).With(2).New()));

    [Fact]
    public void The_old_id_is_dead_after_a_login() => Breaks(
        Codes.DeadIdLives,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Login).With(1, 2), Request("q", 4, 5, Read)),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Login).With(1, 2), Request("q", 4, 5, Nothing).New(),
            Request("s", 6, 7, Read).With(2)));

    [Fact]
    public void A_request_that_was_under_way_at_a_login_stores_nothing() => Breaks(
        Codes.NotSerializable,
        Of(Visit(Set("a", "0")), Request("p", 2, 4, Login).With(1, 2), Request("q", 3, 9, Plain(Set("b", "1"))),
            Request("s", 5, 6, Plain(All("{\"a\":0}"))).With(2), Last("{\"a\":0,\"b\":1}").With(2)),
        Of(Visit(Set("a", "0")), Request("p", 2, 4, Login).With(1, 2), Request("q", 3, 9, Plain(Set("b", "1")).As(Fate.Ended)),
            Request("s", 5, 6, Plain(All("{\"a\":0}"))).With(2), Last("{\"a\":0}").With(2)));

    [Fact]
    public void The_old_id_leads_to_the_session_within_the_grace_time() => Breaks(
        Codes.OldIdInGraceLost,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Rotate).With(1, 2), Request("q", 4, 5, Nothing).New()),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Rotate).With(1, 2), Request("q", 4, 5, Read)));

    [Fact]
    public void After_nine_rotations_the_first_id_still_leads_to_the_session() => Breaks(
        Codes.OldIdInGraceLost,
        Of([Visit(Set("a", "0")), .. Rotations(9), Request("q", 40, 41, Plain(Get("a", "null"), Set("a", "1"))).With(1, 20).New()]),
        Of([Visit(Set("a", "0")), .. Rotations(9), Request("q", 40, 41, Plain(Get("a", "0"), Set("a", "1")))]));

    [Fact]
    public void The_old_id_is_dead_after_the_grace_time() => Breaks(
        Codes.LiveSessionLost,
        Of(Visit(Set("a", "0")), Request("r", 2, 3, Read), Request("q", 4, 5, Nothing).New().At(40_000)),
        Of(Visit(Set("a", "0")), Request("r", 2, 3, Read), Request("p", 2, 3, Rotate).With(1, 2),
            Request("q", 4, 5, Nothing).New().At(40_000)));

    [Fact]
    public void A_session_lives_as_long_as_it_is_used() => Breaks(
        Codes.LiveSessionLost,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Read).At(600_000), Request("q", 4, 5, Nothing).New().At(1_300_000)),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Read).At(600_000), Request("q", 4, 5, Nothing).New().At(1_900_000)));

    [Fact]
    public void A_session_has_the_lifetime_that_it_was_given() => Breaks(
        Codes.LiveSessionLost,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Read), Request("q", 4, 5, Nothing).New().At(700_000)),
        Of(Visit(Set("a", "0"), Does(Op.SetIdleTimeout, number: 600)), Request("p", 2, 3, Read),
            Request("q", 4, 5, Nothing).New().At(700_000)));

    [Fact]
    public void A_first_visits_cookie_leads_to_what_it_stored() => Breaks(
        Codes.OrphanCookie,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Nothing).New()),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Read)));

    [Fact]
    public void A_browser_is_told_the_id_of_what_it_stored() => Breaks(
        Codes.CookieMissing,
        Of(Visit(Set("a", "0")).With(null)),
        Of(Visit(Get("a", "null")).With(null)));

    [Fact]
    public void A_browser_is_told_the_new_id_after_a_login() => Breaks(
        Codes.CookieMissing,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Login)),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Login.As(Fate.Ended)), Request("q", 2, 3, Logout)));

    [Fact]
    public void A_browser_is_told_no_cookie_that_it_did_not_ask_for() => Breaks(
        Codes.UnaskedCookie,
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Rotate).With(1, 2), Request("q", 4, 5, Read).With(1, 3)),
        Of(Visit(Set("a", "0")), Request("p", 2, 3, Rotate).With(1, 2), Request("q", 4, 5, Read).With(1, 1)));

    private static IEnumerable<Observation> Rotations(int count) =>
        Enumerable.Range(1, count).Select(i => Request($"p{i}", 2 * i, (2 * i) + 1, Rotate).With(i, i + 1));
}
