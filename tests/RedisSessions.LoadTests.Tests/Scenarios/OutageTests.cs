using Microsoft.Extensions.Time.Testing;
using RedisSessions.LoadTests.Scenarios;

namespace RedisSessions.LoadTests.Tests.Scenarios;

public sealed class OutageTests
{
    private static readonly StepOutcome Failed = new("status 503");
    private readonly FakeTimeProvider _time = new();
    private readonly Outage _outage;

    public OutageTests() => _outage = new Outage(_time, TimeSpan.FromSeconds(3));

    [Fact]
    public void Failures_in_the_window_are_what_was_asked_for()
    {
        _outage.Note(StepOutcome.Ok);
        _time.Advance(TimeSpan.FromSeconds(1));
        _outage.Begin();
        _time.Advance(TimeSpan.FromSeconds(2.5));
        _outage.Note(Failed);
        _time.Advance(TimeSpan.FromSeconds(1));
        _outage.Note(StepOutcome.Ok);
        Assert.Equal(new Promise("failures only within 3 s of when it is killed", "1 failed in it, the last after 2.50 s; 0 outside of it", true), _outage.Verify("it"));
    }

    [Fact]
    public void A_failure_before_it_or_after_it_breaks_the_promise()
    {
        _outage.Note(Failed);
        _outage.Begin();
        _time.Advance(TimeSpan.FromSeconds(3.1));
        _outage.Note(Failed);
        Assert.Equal((false, "0 failed in it, the last after 0.00 s; 2 outside of it"), (_outage.Verify("it").IsKept, _outage.Verify("it").Seen));
    }

    [Fact]
    public void An_outage_that_never_began_proves_nothing() => Assert.False(_outage.Verify("it").IsKept);
}
