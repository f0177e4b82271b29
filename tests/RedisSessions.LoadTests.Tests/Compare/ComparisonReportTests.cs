using HdrHistogram;
using RedisSessions.LoadTests.Compare;

namespace RedisSessions.LoadTests.Tests.Compare;

public sealed class ComparisonReportTests
{
    private static readonly string[] Subjects = [Comparison.Ours, Comparison.FrameworkAsync, Comparison.Floor, Comparison.Framework];

    // Requests in a turn of a second that keep every promise: ours, the framework's with LoadAsync, the floor's, the framework's.
    private static readonly Dictionary<string, int[]> Good = new()
    {
        ["/read"] = [2300, 1000, 2500, 900],
        ["/set"] = [1700, 1000, 2000, 900],
        ["/incr"] = [1600, 1000, 2000, 900],
    };

    [Fact]
    public void Ratios_are_of_turns_of_the_same_round_and_the_median_counts()
    {
        // In the second round the machine is half as fast, in the third one ours is unlucky.
        var rounds = new[] { Round(Good), Round(Scaled(0.5, 0.5)), Round(Scaled(0.1, 1)) };
        var report = ComparisonReport.Of(Result(rounds, lost: 0));
        var row = Assert.Single(report.Tables[0].Rows, row => row[0] == "/read: RedisSessions : framework, LoadAsync");
        Assert.Equal(["2.30 (0.23 to 2.30)", "at least 2.20", "0 of 300", "290 of 300"], row.Skip(1));
        Assert.True(report.AllKept, string.Join('\n', report.Promises));
    }

    [Theory]
    [InlineData("/read", 2190, "/read at least 2.20 x that of framework, LoadAsync")]
    [InlineData("/read", 2190, "/read at least 0.88 x that of floor")]
    [InlineData("/set", 1490, "/set at least 1.50 x that of framework, LoadAsync")]
    [InlineData("/set", 1630, "/set at least 0.82 x that of floor")]
    [InlineData("/incr", 1490, "/incr at least 1.50 x that of framework, LoadAsync")]
    public void A_ratio_that_is_too_low_breaks_its_promise(string route, int ours, string broken)
    {
        var round = Good.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray());
        round[route][0] = ours;
        var report = ComparisonReport.Of(Result([Round(round)], lost: 0));
        Assert.False(Assert.Single(report.Promises, promise => promise.Text == broken).IsKept);
    }

    [Fact]
    public void Lost_updates_wrong_answers_and_too_much_processor_each_break_a_promise()
    {
        Assert.Equal(["RedisSessions loses no update"], Broken(Result([Round(Good)], lost: 1)));
        Assert.Equal(["every answer of RedisSessions is the right one"], Broken(Result([Round(Good, wrong: 1)], lost: 0)));
        Assert.Equal(["at most half the processor of framework, LoadAsync per /read"], Broken(Result([Round(Good, processor: 0.6)], lost: 0)));
    }

    private static IEnumerable<string> Broken(ComparisonResult result) => ComparisonReport.Of(result).Promises.Where(promise => !promise.IsKept).Select(promise => promise.Text);

    private static ComparisonResult Result(List<Slot>[] rounds, long lost) => new(
        new ComparisonSettings(rounds.Length, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), 200, 32, NearCache: null), rounds,
        Subjects.ToDictionary(subject => subject, subject => (subject == Comparison.Ours ? lost : 290, 300L)));

    private static Dictionary<string, int[]> Scaled(double ours, double others) =>
        Good.ToDictionary(pair => pair.Key, pair => pair.Value.Select((requests, subject) => (int)(requests * (subject == 0 ? ours : others))).ToArray());

    private static List<Slot> Round(Dictionary<string, int[]> requests, long wrong = 0, double processor = 0.4) =>
        [.. requests.SelectMany(route => Subjects.Select((subject, i) => new Slot(
            subject, route.Key, new LoadResult(route.Value[i], subject == Comparison.Ours ? wrong : 3, TimeSpan.FromSeconds(1), Latency()),
            TimeSpan.FromMilliseconds(route.Value[i] * (subject == Comparison.Ours ? processor : 1)), TimeSpan.Zero, TimeSpan.Zero, new Dictionary<string, long>())))];

    private static LongHistogram Latency()
    {
        var histogram = new LongHistogram(1, 1_000_000, 3);
        histogram.RecordValue(1_000);
        return histogram;
    }
}
