using RedisSessions.Conformance;

namespace RedisSessions.Tests.FileStore;

/// <summary>Figures, not verdicts; how to run them is in <c>docs/measurements.md</c>.</summary>
public sealed class Measurements : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sessions-").FullName;

    [Theory(Explicit = true)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_read_and_a_commit_among_a_thousand_sessions_and_among_a_hundred_thousand(bool flushToDisk)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var (filling, handler) = (FileFixture.Create(_directory), FileFixture.Create(_directory, flushToDisk: flushToDisk));
        await HandlerCost.FillAsync(filling, 1_000, cancellationToken);
        var few = await HandlerCost.OfAsync(handler, cancellationToken);
        await HandlerCost.FillAsync(filling, 99_000, cancellationToken);
        await HandlerCost.CompareAsync(flushToDisk ? "file, flushed to disk" : "file, not flushed", few, await HandlerCost.OfAsync(handler, cancellationToken));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
