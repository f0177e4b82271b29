using RedisSessions.TestServers.Histories;

namespace RedisSessions.Redis.Tests.Servers;

/// <summary>The judge is judged first, by histories whose verdict is known.</summary>
public sealed class HistoryCheckerTests
{
    [Fact]
    public void What_was_done_and_read_in_order_is_right() =>
        Accepted(Push("a", 0, 1), Look(2, 3, "a"), Push("b", 4, 5), Look(6, 7, "a", "b"));

    [Fact]
    public void A_read_that_overlaps_a_write_may_see_it_or_not()
    {
        Accepted(Push("a", 0, 10), Look(1, 2), Look(3, 4, "a"), Look(11, 12, "a"));
        Accepted(Push("a", 0, 10), Look(1, 2, "a"), Look(11, 12, "a"));
    }

    [Fact]
    public void An_unknown_write_may_be_there_or_not_and_may_come_later()
    {
        Accepted(Unknown("a", 0, 1), Look(2, 3));
        Accepted(Unknown("a", 0, 1), Look(2, 3, "a"));
        Accepted(Unknown("a", 0, 1), Look(2, 3), Look(4, 5, "a"));
        Accepted(Unknown("a", 0, 1), Push("b", 2, 3), Look(4, 5, "b", "a"));
    }

    [Fact]
    public void A_refused_write_is_not_there() => Accepted(Refused("a", 0, 1), Look(2, 3));

    [Fact]
    public void An_acknowledged_write_that_is_missing_is_found() => Denied("acknowledged and lost", Push("a", 0, 1), Push("b", 2, 3), Look(4, 5, "b"));

    [Fact]
    public void A_write_that_was_applied_twice_is_found()
    {
        Denied("applied twice", Push("a", 0, 1), Look(2, 3, "a", "a"));
        Denied("applied twice", Unknown("a", 0, 1), Look(2, 3, "a", "a"));
    }

    [Fact]
    public void A_refused_write_that_was_applied_is_found() => Denied("refused, and there", Refused("a", 0, 1), Look(2, 3, "a"));

    [Fact]
    public void A_token_that_nobody_wrote_is_found() => Denied("out of nowhere", Push("a", 0, 1), Look(2, 3, "a", "x"));

    [Fact]
    public void A_stale_read_is_found_although_the_end_is_right() =>
        Denied("stale read", Push("a", 0, 1), Look(2, 3), Look(4, 5, "a"));

    [Fact]
    public void An_unknown_write_that_was_seen_cannot_be_unseen() =>
        Denied("seen and unseen", Unknown("a", 0, 1), Look(2, 3, "a"), Look(4, 5));

    [Fact]
    public void A_lost_write_in_the_middle_that_others_stand_behind_is_found() =>
        Denied("two reads disagree", Unknown("a", 0, 1), Unknown("b", 0, 1), Look(2, 3, "a"), Look(4, 5, "b", "a"));

    [Fact]
    public void A_write_that_stands_before_one_that_had_ended_is_found() =>
        Denied("out of order", Push("a", 0, 1), Push("b", 2, 3), Look(4, 5, "b", "a"));

    [Fact]
    public void A_write_that_is_read_before_it_is_sent_is_found() =>
        Denied("read before it was written", Look(0, 1, "a"), Push("a", 2, 3), Look(4, 5, "a"));

    [Fact]
    public void Being_logged_out_by_nobody_is_found() => Denied("logged out", Push("a", 0, 1), None(2, 3), Look(4, 5, "a"));

    [Fact]
    public void Being_logged_out_by_a_refused_logout_is_found() =>
        Denied("logged out", Push("a", 0, 1), End(2, 3, Outcome.Refused), None(4, 5));

    [Fact]
    public void A_logout_may_take_effect_at_any_moment_until_its_answer() =>
        Accepted(Push("a", 0, 1), End(2, 10, Outcome.Acknowledged), Look(3, 4, "a"), None(5, 6), None(11, 12));

    [Fact]
    public void A_destroyed_session_that_is_back_is_found() =>
        Denied("back", Push("a", 0, 1), End(2, 3, Outcome.Acknowledged), Look(4, 5, "a"));

    [Fact]
    public void A_session_that_was_seen_gone_and_is_back_is_found_although_the_logout_was_never_acknowledged() =>
        Denied("back", Push("a", 0, 1), End(2, 3, Outcome.Unknown), None(4, 5), Look(6, 7, "a"));

    [Fact]
    public void A_write_to_a_destroyed_session_that_is_acknowledged_is_found() =>
        Denied("alive", End(0, 1, Outcome.Acknowledged), Push("a", 2, 3), None(4, 5));

    [Fact]
    public void A_login_moves_everything_to_the_new_id() => Accepted(
        Push("a", 0, 1), End(2, 3, Outcome.Acknowledged, SessionEnd.Replaced), None(4, 5), Look(4, 5, "a") with { Id = 1 }, Push("b", 6, 7) with { Id = 1 }, Look(8, 9, "a", "b") with { Id = 1 });

    [Fact]
    public void A_replaced_id_that_is_still_live_is_found() => Denied(
        "back", Push("a", 0, 1), End(2, 3, Outcome.Acknowledged, SessionEnd.Replaced), Look(4, 5, "a"), Look(6, 7, "a") with { Id = 1 });

    [Fact]
    public void A_write_that_a_login_left_behind_is_found() => Denied(
        "acknowledged and lost", Push("a", 0, 1), End(2, 5, Outcome.Acknowledged, SessionEnd.Replaced), Push("b", 3, 4), Look(6, 7, "a") with { Id = 1 });

    [Fact]
    public void A_session_that_was_destroyed_is_not_back_under_its_other_id() => Denied(
        "destroyed by its id 1", End(0, 1, Outcome.Acknowledged, SessionEnd.Replaced), End(2, 3, Outcome.Acknowledged) with { Id = 1 }, Look(4, 5) with { Id = 2 });

    [Fact]
    public void A_history_without_a_last_look_is_no_evidence() => Assert.Throws<ArgumentException>(() => HistoryChecker.Check([Look(0, 1), Push("a", 2, 3)]));

    [Fact]
    public void Sessions_are_judged_apart() => Denied(
        "s2: out of nowhere", Push("a", 0, 1), Look(2, 3, "a"), Look(2, 3, "a") with { Session = "s2" });

    private static Pushed Push(string token, long invoked, long returned) => new("s", 0, invoked, returned, Outcome.Acknowledged, token);

    private static Pushed Unknown(string token, long invoked, long returned) => new("s", 0, invoked, returned, Outcome.Unknown, token);

    private static Pushed Refused(string token, long invoked, long returned) => new("s", 0, invoked, returned, Outcome.Refused, token);

    private static Looked Look(long invoked, long returned, params string[] tokens) => new("s", 0, invoked, returned, Outcome.Acknowledged, tokens);

    private static Looked None(long invoked, long returned) => new("s", 0, invoked, returned, Outcome.Acknowledged, null);

    private static Ended End(long invoked, long returned, Outcome outcome, SessionEnd how = SessionEnd.Destroyed) => new("s", 0, invoked, returned, outcome, how);

    private static void Accepted(params SessionOperation[] history) => Assert.Empty(HistoryChecker.Check(history));

    private static void Denied(string verdict, params SessionOperation[] history) =>
        Assert.Contains(HistoryChecker.Check(history), violation => violation.Contains(verdict, StringComparison.Ordinal));
}
