using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.Diagnostics;

/// <summary>The search for ids in what this run measures and traces finds what is there to be found.</summary>
public sealed class ScrubbingTests(StoreFixture store)
{
    // Not the name that is watched in the whole run, which would fail.
    private const string Planted = "RedisSessions.Planted";

    private readonly SecretSearch _search = new();
    private readonly string _id = SessionId.New().Value;

    [Fact]
    public void An_id_in_a_tag_of_a_measurement_is_found()
    {
        using var watch = new TelemetryWatch(_search, Planted);
        using var meter = new Meter(Planted);
        meter.CreateCounter<long>("clean").Add(1, new KeyValuePair<string, object?>("handler", "redis"));
        Assert.Empty(_search.Leaks());
        meter.CreateHistogram<double>("leaky").Record(1, new KeyValuePair<string, object?>("path", $"/of/{_id}"));
        Assert.Equal("leaky, the tag path", Assert.Single(_search.Leaks()));
    }

    [Fact]
    public void A_tag_with_ever_new_values_is_found_whatever_they_are()
    {
        using var watch = new TelemetryWatch(_search, Planted);
        using var meter = new Meter(Planted);
        var counter = meter.CreateCounter<int>("many");
        for (var i = 0; i < 100; i++)
            counter.Add(1, new KeyValuePair<string, object?>("user", i));
        Assert.StartsWith("many, the tag user, which has more than", Assert.Single(_search.Leaks()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name")]
    [InlineData("tag")]
    [InlineData("event")]
    [InlineData("eventTag")]
    [InlineData("status")]
    [InlineData("baggage")]
    public void An_id_in_a_span_is_found_wherever_it_stands(string where)
    {
        using var watch = new TelemetryWatch(_search, Planted);
        using var source = new ActivitySource(Planted);
        using (var span = source.StartActivity("work")!)
        {
            _ = where switch
            {
                "name" => span.DisplayName = _id,
                "tag" => span.SetTag("session.id", _id).DisplayName,
                "event" => span.AddEvent(new ActivityEvent(_id)).DisplayName,
                "eventTag" => span.AddEvent(new ActivityEvent("e", tags: new() { ["x"] = _id })).DisplayName,
                "status" => span.SetStatus(ActivityStatusCode.Error, $"no {_id}").DisplayName,
                _ => span.SetBaggage("x", _id).DisplayName,
            };
            Assert.Empty(_search.Leaks());
        }

        Assert.Contains("the span work", Assert.Single(_search.Leaks()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_request_of_this_run_is_looked_at()
    {
        var before = Secrets.Watched;
        await using var app = await SessionApp.StartAsync(store, app => app.MapGet("/set", (Session session) => session["a"] = 1));
        using var browser = app.NewBrowser();
        await browser.GetAsync("/set");
        await browser.GetAsync("/set");
        var after = Secrets.Watched;
        Assert.True(after.Measurements > before.Measurements + 4, $"{before} -> {after}");
        Assert.True(after.Spans > before.Spans + 4, $"{before} -> {after}");
    }
}
