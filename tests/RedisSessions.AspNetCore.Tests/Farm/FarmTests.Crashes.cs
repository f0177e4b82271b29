using System.Net;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests;

public abstract partial class FarmTests
{
    [Theory]
    [InlineData("truncated")]
    [InlineData("of an unknown format")]
    [InlineData("random")]
    [InlineData("with a broken payload")]
    public async Task A_damaged_record_is_a_503_and_stays_as_it_is(string damage)
    {
        using var browser = await SeededAsync();
        Assert.True(SessionId.TryParse(browser.Id, out var id));
        var key = SessionKey.From(id);
        var bytes = (await farm.BytesAsync(key))!;
        switch (damage)
        {
            case "truncated": bytes = bytes[..150]; break;
            case "of an unknown format": bytes[2] = 9; break;
            case "random": Random.Shared.NextBytes(bytes); break;
            default: bytes.AsSpan(RecordFormat.HeaderLength).Fill(0xc1); break;
        }

        await farm.PlantAsync(key, bytes);
        foreach (var path in new[] { "/read", "/set?key=a&val=1", "/login?user=1", "/logout" })
        {
            var answer = await browser.SendAsync(path, $"session={browser.Id}");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, null), (answer.Status, answer.SetCookie));
            Assert.True(answer.Message.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            Assert.DoesNotContain(browser.Id!, answer.Body, StringComparison.Ordinal);
        }

        Assert.Equal(bytes, await farm.BytesAsync(key));
    }

    [Fact]
    public async Task Ten_kills_in_the_middle_of_two_thousand_commits_lose_nothing_that_was_acknowledged()
    {
        const int Kills = 10, Commits = 2_000, Writers = 4;
        using var browser = await SeededAsync();
        var (acknowledged, sent) = (0, 0);
        for (var kill = 1; kill <= Kills; kill++)
        {
            await using var instance = await farm.StartAsync();
            using var doomed = new Browser(instance.Address);
            var until = Commits / Kills * kill;
            // Killed while commits are on their way, of this instance and, to the same session, of those that live on.
            var dying = KillWhenAsync(instance, () => Volatile.Read(ref sent) >= until - 20);
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(i => i % 2 == 0 ? WriteAsync(doomed, until, mayFail: true) : WriteAsync(browser, until, mayFail: false)));
            await dying;
        }

        // Every answer that was "ok" is in it, and nothing is in it that was not asked for.
        var n = (await AllAsync(browser)).GetProperty("n").GetInt32();
        Assert.InRange(n, acknowledged, sent);
        Assert.InRange(acknowledged, Commits - Kills * 40, sent);
        await farm.CheckAfterKillsAsync();

        async Task WriteAsync(Browser writer, int until, bool mayFail)
        {
            while (Volatile.Read(ref sent) < until)
            {
                Interlocked.Increment(ref sent);
                try
                {
                    var answer = await writer.SendAsync("/add", $"session={browser.Id}");
                    Assert.Equal(HttpStatusCode.OK, answer.Status);
                    Interlocked.Increment(ref acknowledged);
                }
                catch (HttpRequestException) when (mayFail)
                {
                    // Killed: stored or not, nobody was told. Those that live on do the rest.
                    return;
                }
            }
        }
    }

    private static async Task KillWhenAsync(TargetAppProcess instance, Func<bool> isTime)
    {
        await Poll.UntilAsync(isTime, TimeSpan.FromMinutes(2), "enough was written before the kill", TestContext.Current.CancellationToken);
        await instance.KillAsync();
    }
}
