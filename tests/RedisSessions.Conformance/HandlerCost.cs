using System.Diagnostics;
using System.Globalization;

namespace RedisSessions.Conformance;

/// <summary>What one read and one commit of a handler cost, in milliseconds: a figure, not a verdict.</summary>
public sealed record HandlerCost(double Read, double ReadMin, double Commit, double CommitMin)
{
    private const int Times = 2_000, WarmUps = 2_000;

    /// <summary>Reads and commits one session many times, after as many that do not count: by then everything is compiled and connected.</summary>
    public static async Task<HandlerCost> OfAsync(ISessionHandler handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var key = SessionKey.From(SessionId.New());
        await handler.CommitAsync(key, SessionVersion.None, Record(1), Idle, cancellationToken);
        List<double> reads = [], commits = [];
        for (ulong version = 1; version <= WarmUps + Times; version++)
        {
            var began = Stopwatch.GetTimestamp();
            var read = await handler.ReadAsync(key, Idle, cancellationToken);
            var readTook = Stopwatch.GetElapsedTime(began);
            Assert.Equal(version, read!.Version.Count);
            began = Stopwatch.GetTimestamp();
            var committed = await handler.CommitAsync(key, new SessionVersion(version), Record(version + 1), Idle, cancellationToken);
            var commitTook = Stopwatch.GetElapsedTime(began);
            Assert.IsType<CommitResult.Committed>(committed);
            if (version <= WarmUps)
                continue;
            reads.Add(readTook.TotalMilliseconds);
            commits.Add(commitTook.TotalMilliseconds);
        }

        reads.Sort();
        commits.Sort();
        return new HandlerCost(reads[Times / 2], reads[0], commits[Times / 2], commits[0]);
    }

    /// <summary>Stores this many sessions of about 300 bytes, through the handler.</summary>
    public static Task FillAsync(ISessionHandler handler, int sessions, CancellationToken cancellationToken) => Parallel.ForEachAsync(
        Enumerable.Range(0, sessions), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellationToken },
        async (_, token) => await handler.CommitAsync(SessionKey.From(SessionId.New()), SessionVersion.None, Record(1), Idle, token));

    /// <summary>Says what it costs among few sessions and among many.</summary>
    public static async Task CompareAsync(string store, HandlerCost few, HandlerCost many)
    {
        ArgumentNullException.ThrowIfNull(few);
        ArgumentNullException.ThrowIfNull(many);
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{store}: median (min) in ms, among 1,000 / among 100,000 / ratio of the medians: read {few.Read:F3} ({few.ReadMin:F3}) / {many.Read:F3} ({many.ReadMin:F3}) / {many.Read / few.Read:F2}; commit {few.Commit:F3} ({few.CommitMin:F3}) / {many.Commit:F3} ({many.CommitMin:F3}) / {many.Commit / few.Commit:F2}");
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        await Console.Error.WriteLineAsync("MEASURED " + line);
    }

    private static TimeSpan Idle => TimeSpan.FromHours(1);

    private static SessionRecord Record(ulong version) => new()
    {
        Version = new SessionVersion(version),
        State = SessionState.Live,
        CreatedAt = DateTimeOffset.UtcNow,
        AbsoluteDeadline = DateTimeOffset.UtcNow.AddHours(12),
        CommitIds = [CommitId.New()],
        PayloadFormat = PayloadFormat.MessagePack,
        Payload = new byte[300],
    };
}
