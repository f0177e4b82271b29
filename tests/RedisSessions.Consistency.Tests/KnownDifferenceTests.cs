using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Tests.Support;

namespace RedisSessions.Consistency.Tests;

/// <summary>
/// Where the library differs from its documentation without any concurrency. Such a test fails when the difference is gone: then its case
/// goes here, and its
/// scripts go into the comparison.
/// </summary>
public sealed class KnownDifferenceTests
{
    private static readonly Request Begin = new("begin", [new(Op.Set) { Path = "a", Value = "1" }]);
    private static readonly Request Look = new("look", [new(Op.All)]);

    [Fact]
    public Task An_end_that_is_discarded_loses_the_values() =>
        DiffersAsync(Begin, new("r", [new(Op.Destroy), new(Op.Discard), new(Op.Get) { Path = "a" }]), Look);

    [Fact]
    public Task An_update_that_ends_the_session_and_throws_leaves_it_ended() =>
        DiffersAsync(Begin,
            new("r", [new(Op.Update) { Then = [new(Op.Destroy), new(Op.Throw)] }, new(Op.Set) { Path = "b", Value = "1" }]), Look);

    [Fact]
    public Task A_literal_key_hides_the_path_of_its_text() => DiffersAsync(
        new("begin", [new(Op.Set) { Path = "a.x", Value = "1" }, new(Op.LiteralSet) { Path = "a.x", Value = "\"t\"" }]),
        new("look", [new(Op.Get) { Path = "a.x" }]));

    private static async Task DiffersAsync(params Request[] requests) => Assert.NotNull(await Agreement.DifferenceAsync(requests));
}
