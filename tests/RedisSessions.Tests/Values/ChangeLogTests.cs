using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

public sealed class ChangeLogTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "a.b", true)]
    [InlineData("a.b", "a", false)]
    [InlineData("a", "ab", false)]
    [InlineData("a.b", "a.c", false)]
    public void A_value_below_what_was_set_is_the_requests_own(string set, string read, bool own) =>
        Assert.Equal(own, Changes(Set(set, 1)).Decides(Path(read)));

    [Fact]
    public void A_removed_value_is_the_requests_own() => Assert.True(Changes(Remove("a")).Decides(Path("a.b")));

    [Fact]
    public void After_clearing_everything_is_the_requests_own() => Assert.True(Changes(Clear()).Decides(Path("anything.at.all")));

    [Fact]
    public void A_flashed_value_is_the_requests_own() => Assert.True(Changes(Flash("a", 1)).Decides(Path("a")));

    [Fact]
    public void A_sum_still_rests_on_what_was_there() => Assert.False(Changes(Increment("n")).Decides(Path("n")));

    [Fact]
    public void A_list_with_a_pushed_element_still_rests_on_what_was_there() => Assert.False(Changes(Push("l", 1)).Decides(Path("l")));

    [Fact]
    public void Keeping_flash_data_decides_nothing() => Assert.False(Changes(Keep()).Decides(Path("_flash")));

    [Fact]
    public void Any_of_several_changes_decides() => Assert.True(Changes(Increment("n"), Set("n", 1)).Decides(Path("n")));

    [Fact]
    public void Replay_stops_at_the_first_change_that_cannot_be_applied()
    {
        var tree = Tree(("n", "text"));
        Assert.Equal("n", Changes(Set("a", 1), Increment("n"), Set("b", 1)).Replay(tree)?.Text);
        Assert.Equal("{a: 1, n: text}", Text(tree));
    }

    [Fact]
    public void Cutting_forgets_the_later_changes_only()
    {
        var log = Changes(Set("a", 1), Set("b", 2), Set("c", 3));
        log.CutTo(1);
        var tree = Tree();
        Assert.Null(log.Replay(tree));
        Assert.Equal("{a: 1}", Text(tree));
    }

    [Fact]
    public void Ageing_alone_is_no_intention_of_the_request()
    {
        var aging = RedisSessions.Values.FlashBag.Aging(Tree(("m", 1), ("_flash.old", new[] { "m" })))!;
        Assert.False(Changes(aging).IsIntended);
        Assert.True(Changes(aging, Set("a", 1)).IsIntended);
        Assert.True(Changes(Keep()).IsIntended);
        Assert.False(Changes().IsIntended);
    }
}
