namespace RedisSessions.Redis.Tests.Linearizability;

/// <summary>The judge is judged first, by histories whose verdict is known.</summary>
public sealed class LinearizabilityCheckerTests
{
    [Fact]
    public void Nothing_at_all_is_linearizable() => AssertLinearizable();

    [Fact]
    public void One_after_the_other_is_linearizable() => AssertLinearizable(Set(5, 0, 1), Read(5, 2, 3), Increment(6, 4, 5), Read(6, 6, 7));

    [Fact]
    public void A_read_that_overlaps_a_set_may_see_either_value()
    {
        AssertLinearizable(Set(5, 0, 10), Read(0, 1, 2));
        AssertLinearizable(Set(5, 0, 10), Read(5, 1, 2));
    }

    [Fact]
    public void A_value_that_was_seen_cannot_be_unseen() => AssertNotLinearizable(Set(5, 0, 10), Read(5, 1, 2), Read(0, 3, 4));

    [Fact]
    public void A_stale_read_is_not_linearizable() => AssertNotLinearizable(Set(5, 0, 1), Read(0, 2, 3));

    [Fact]
    public void A_lost_increment_is_not_linearizable() => AssertNotLinearizable(Increment(1, 0, 10), Increment(1, 1, 9));

    [Fact]
    public void A_lost_increment_shows_in_a_later_read_only() =>
        AssertNotLinearizable(Increment(1, 0, 10), Increment(2, 1, 9), Read(1, 11, 12));

    [Fact]
    public void An_increment_applied_twice_is_not_linearizable() => AssertNotLinearizable(Increment(1, 0, 1), Read(2, 2, 3));

    [Fact]
    public void A_set_out_of_nowhere_is_not_linearizable() => AssertNotLinearizable(Set(5, 0, 1), Read(7, 2, 3));

    [Fact]
    public void Overlapping_increments_may_come_in_any_order() =>
        AssertLinearizable(Increment(3, 0, 10), Increment(1, 1, 9), Increment(2, 2, 8), Read(3, 11, 12));

    [Fact]
    public void Operations_that_do_not_overlap_keep_their_order()
    {
        AssertNotLinearizable(Set(5, 0, 1), Set(6, 2, 3), Read(5, 4, 5));
        AssertLinearizable(Set(5, 0, 3), Set(6, 1, 2), Read(5, 4, 5));
    }

    [Fact]
    public void A_set_between_two_increments_is_found() =>
        AssertLinearizable(Increment(1, 0, 10), Set(40, 1, 9), Increment(41, 2, 8), Read(41, 11, 12));

    [Fact]
    public void A_long_history_with_everything_overlapping_is_decided_quickly()
    {
        // Without the memory this would be 20 factorial orders; the last read denies them all.
        var increments = Enumerable.Range(1, 20).Select(i => Increment(i, i, 1000 + i));
        AssertNotLinearizable([.. increments, Read(19, 2000, 2001)]);
    }

    private static Operation Read(long value, long invoked, long returned) => new(OperationKind.Read, value, invoked, returned);

    private static Operation Set(long value, long invoked, long returned) => new(OperationKind.Set, value, invoked, returned);

    private static Operation Increment(long value, long invoked, long returned) => new(OperationKind.Increment, value, invoked, returned);

    private static void AssertLinearizable(params Operation[] history) => Assert.True(LinearizabilityChecker.IsLinearizable(history, 0));

    private static void AssertNotLinearizable(params Operation[] history) => Assert.False(LinearizabilityChecker.IsLinearizable(history, 0));
}
