using RedisSessions.Values;
using static RedisSessions.Tests.Values.Given;

namespace RedisSessions.Tests.Values;

/// <summary>Flash data as a pure function of trees. Requests and commits with it: <c>FlashTests</c>.</summary>
public sealed class FlashBagTests
{
    [Fact]
    public void A_tree_without_flash_data_does_not_age() => Assert.Null(FlashBag.Aging(Tree(("a", 1))));

    [Fact]
    public void New_becomes_old_and_old_goes()
    {
        var tree = Tree(("shown", 1), ("fresh", 2), ("plain", 3), ("_flash.old", new[] { "shown" }), ("_flash.new", new[] { "fresh" }));
        Age(tree);
        Assert.Equal("{_flash: {old: [fresh]}, fresh: 2, plain: 3}", Text(tree));
        Age(tree);
        Assert.Equal("{plain: 3}", Text(tree));
    }

    [Fact]
    public void Ageing_is_the_same_twice_when_two_requests_decided_it_on_the_same_tree()
    {
        var tree = Tree(("shown", 1), ("fresh", 2), ("_flash.old", new[] { "shown" }), ("_flash.new", new[] { "fresh" }));
        var aging = FlashBag.Aging(tree)!;
        FlashBag.Age(tree, aging);
        FlashBag.Age(tree, aging);
        Assert.Equal("{_flash: {old: [fresh]}, fresh: 2}", Text(tree));
    }

    [Fact]
    public void A_value_that_was_flashed_anew_meanwhile_does_not_go_with_the_one_that_was_shown()
    {
        var aging = FlashBag.Aging(Tree(("m", "shown"), ("_flash.old", new[] { "m" })))!;
        var newer = Tree(("m", "anew"), ("_flash.old", new[] { "m" }));
        FlashBag.Age(newer, aging);
        Assert.Equal("{_flash: {old: [m]}, m: anew}", Text(newer));
    }

    [Fact]
    public void A_value_that_became_permanent_meanwhile_does_not_go()
    {
        var aging = FlashBag.Aging(Tree(("m", "shown"), ("_flash.old", new[] { "m" })))!;
        var newer = Tree(("m", "shown"));
        FlashBag.Age(newer, aging);
        Assert.Equal("{m: shown}", Text(newer));
    }

    [Fact]
    public void Flashing_a_shown_key_again_makes_it_new()
    {
        var tree = Tree(("m", 1), ("_flash.old", new[] { "m" }));
        Assert.True(Flash("m", 2).TryApply(tree));
        Assert.Equal("{_flash: {new: [m]}, m: 2}", Text(tree));
    }

    [Fact]
    public void Flashing_after_ageing_is_as_old_as_what_was_flashed_before_it()
    {
        var tree = Tree();
        Assert.True(Flash("m", 2, aged: true).TryApply(tree));
        Assert.Equal("{_flash: {old: [m]}, m: 2}", Text(tree));
    }

    [Fact]
    public void Keeping_some_leaves_the_others_to_go()
    {
        var tree = Tree(("a", 1), ("b", 2), ("_flash.old", new[] { "a", "b" }));
        Assert.True(Keep("a", "unknown").TryApply(tree));
        Age(tree);
        Assert.Equal("{_flash: {old: [a]}, a: 1}", Text(tree));
    }

    [Fact]
    public void Keeping_all_keeps_all()
    {
        var tree = Tree(("a", 1), ("b", 2), ("_flash.old", new[] { "a", "b" }));
        Assert.True(Keep().TryApply(tree));
        Age(tree);
        Assert.Equal("{_flash: {old: [a, b]}, a: 1, b: 2}", Text(tree));
    }

    [Fact]
    public void Nested_keys_can_be_flashed_and_go_alone()
    {
        var tree = Tree(("form.name", "x"), ("form.error", "y"), ("_flash.old", new[] { "form.error" }));
        Age(tree);
        Assert.Equal("{form: {name: x}}", Text(tree));
    }

    [Fact]
    public void What_is_no_usable_key_in_the_stored_list_is_dropped()
    {
        var tooDeep = string.Join('.', Enumerable.Repeat("a", 100));
        var tree = Tree(("m", 1), ("_flash.old", new object?[] { "m", "", 7, null, tooDeep }));
        Age(tree);
        Assert.Equal("{}", Text(tree));
    }

    [Theory]
    [InlineData("text")]
    [InlineData(7)]
    [InlineData(null)]
    public void A_reserved_key_that_holds_something_else_is_cleaned_away(object? value)
    {
        var tree = Tree(("_flash", value));
        Age(tree);
        Assert.Equal("{}", Text(tree));
    }

    private static void Age(SessionTree tree) => FlashBag.Age(tree, FlashBag.Aging(tree)!);
}
