using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RedisSessions.Consistency.Scripts;
using RedisSessions.Consistency.Tests.Support;

namespace RedisSessions.Consistency.Tests;

/// <summary>What the interpreter writes down of a request on the library.</summary>
public sealed class InterpreterTests
{
    private static readonly Step SetA = new(Op.Set) { Path = "a", Value = "1" };
    private static readonly Step PushA = new(Op.Push) { Path = "a", Value = "1" };
    private static readonly Step GetA = new(Op.Get) { Path = "a" };

    [Fact]
    public async Task A_refused_step_is_answered_and_the_request_goes_on()
    {
        var result = await RunAsync(SetA, PushA, GetA);
        Assert.Equal([null, "!InvalidOperationException", "1"], result.Open.Select(executed => executed.Answer));
    }

    [Fact]
    public async Task A_refused_step_ends_an_update_that_does_not_catch_it()
    {
        var result = await RunAsync(SetA, new(Op.Update) { Then = [PushA, GetA] }, GetA);
        Assert.Equal([Fate.Abandoned], result.Segments.Select(segment => segment.Fate));
        Assert.Equal("!InvalidOperationException", Assert.Single(result.Segments[0].Steps).Answer);
        Assert.Equal([null, "1"], result.Open.Select(executed => executed.Answer));
    }

    [Fact]
    public async Task An_update_that_catches_it_goes_on()
    {
        var result = await RunAsync(SetA, new(Op.Update) { Then = [new(Op.Try) { Then = [PushA, SetA] }, GetA] });
        Assert.Equal([Fate.Committed, Fate.Committed], result.Segments.Select(segment => segment.Fate));
        Assert.True(result.Segments[0].WithNext);
        Assert.Equal(["!InvalidOperationException", "1"], result.Segments[1].Steps.Select(executed => executed.Answer));
        Assert.Equal(1, result.Segments[1].Runs);
    }

    [Fact]
    public async Task A_delegate_that_throws_leaves_what_was_changed_before()
    {
        var result = await RunAsync(SetA, new(Op.Update) { Then = [new(Op.Set) { Path = "a", Value = "2" }, new(Op.Throw)] }, GetA);
        Assert.Equal(Fate.Abandoned, Assert.Single(result.Segments).Fate);
        Assert.Equal([null, "1"], result.Open.Select(executed => executed.Answer));
    }

    [Fact]
    public async Task A_branch_answers_what_it_asked_and_runs_what_it_took()
    {
        var result = await RunAsync(SetA, new(Op.IfEquals) { Path = "a", Value = "1", Then = [GetA], Else = [PushA] });
        Assert.Equal(["Set a 1", "IfEquals a 1 -> true", "Get a -> 1"], result.Open.Select(Printing.Line));
    }

    [Fact]
    public async Task A_cancelled_commit_leaves_the_segment_open()
    {
        var result = await RunAsync(SetA, new(Op.CancelledCommit), GetA);
        Assert.Empty(result.Segments);
        Assert.Equal([null, "!Cancelled", "1"], result.Open.Select(executed => executed.Answer));
    }

    [Fact]
    public async Task An_exception_of_the_endpoint_ends_the_request()
    {
        var result = await RunAsync(SetA, new(Op.Throw), GetA);
        Assert.NotNull(result.Failure);
        Assert.Equal(Fate.Abandoned, Assert.Single(result.Close()).Fate);
    }

    [Fact]
    public async Task A_conflict_ends_the_request_with_its_path()
    {
        var manager = Manager();
        var first = manager.Create();
        first["a"] = 1;
        await manager.CommitAsync(first, TestContext.Current.CancellationToken);
        Assert.True(SessionId.TryParse(first.Id, out var id));
        var late = await manager.LoadAsync(id, cancellationToken: TestContext.Current.CancellationToken);
        var other = await manager.LoadAsync(id, cancellationToken: TestContext.Current.CancellationToken);
        other["a"] = 2;
        await manager.CommitAsync(other, TestContext.Current.CancellationToken);
        var result = await Interpreter.RunAsync(
            new("r", [GetA, new(Op.Set) { Path = "b", Value = "1" }, new(Op.Commit), GetA]), late, _ => Task.CompletedTask,
                TestContext.Current.CancellationToken);
        var segment = Assert.Single(result.Close());
        Assert.Equal((Fate.Refused, "a"), (segment.Fate, segment.Detail));
        Assert.IsType<SessionConflictException>(result.Failure);
    }

    [Theory]
    [InlineData("{\"b\":1,\"a\":[1.0,2e3,true,null,\"x\"]}", "{\"a\":[1.0,2000.0,true,null,\"x\"],\"b\":1}")]
    [InlineData("{\"$bytes\":\"AQI=\"}", "{\"$bytes\":\"AQI=\"}")]
    [InlineData("{\"$time\":\"2026-01-02T03:04:05+01:00\"}", "{\"$time\":\"2026-01-02T02:04:05.0000000Z\"}")]
    [InlineData("9223372036854775808", "9223372036854775808")]
    [InlineData("\"a\\\"\\u0001\"", "\"a\\\"\\u0001\"")]
    public void Answers_have_one_form(string text, string canonical) => Assert.Equal(canonical, Json.Canonical(text));

    [Fact]
    public void Every_operation_is_generated()
    {
        var generator = new Generator(new Random(1), new GeneratorProfile());
        var made = Enumerable.Range(0, 3_000).SelectMany(_ => generator.Next(0).Steps).SelectMany(Steps.All)
            .Select(step => step.Op).ToHashSet();
        Assert.Empty(Enum.GetValues<Op>().Except(made));
    }

    private static Task<ExecutionResult> RunAsync(params Step[] steps) =>
        Interpreter.RunAsync(new("r", steps), Manager().Create(), _ => Task.CompletedTask, CancellationToken.None);

    private static SessionManager Manager() => new(
        new MemoryHandler(), Options.Create(new RedisSessionsOptions()), TimeProvider.System, NullLogger<SessionManager>.Instance);
}
