using System.Diagnostics;
using System.Net;

namespace RedisSessions.AspNetCore.Tests;

public abstract partial class FarmTests
{
    [Theory]
    [InlineData(100, 0)]
    [InlineData(50, 20)]
    public async Task Concurrent_increments_all_count_and_each_gets_its_own_answer(int count, int delay)
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(count, _ => $"/incr?delay={delay}");
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Equal(Enumerable.Range(1, count), answers.Select(answer => int.Parse(answer.Body)).Order());
        Assert.Equal(count, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Concurrent_blind_additions_all_count()
    {
        using var browser = await SeededAsync();
        Assert.All(await browser.AtOnceAsync(100, _ => "/add"), answer => Assert.Equal("ok", answer.Body));
        Assert.Equal(100, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Two_writers_of_different_keys_both_survive_fifty_times_out_of_fifty()
    {
        for (var round = 0; round < 50; round++)
        {
            using var browser = await SeededAsync();
            await browser.AtOnceAsync(2, i => $"/set?key=k{i}&val=v{i}&delay=5");
            var all = await AllAsync(browser);
            Assert.Equal(("v0", "v1"), (all.GetProperty("k0").GetString(), all.GetProperty("k1").GetString()));
        }
    }

    [Fact]
    public async Task A_naive_read_and_write_is_stored_or_refused_and_never_lost()
    {
        using var browser = await SeededAsync();
        var answers = await browser.AtOnceAsync(60, _ => "/naive?delay=5");
        var stored = answers.Count(answer => answer.Status == HttpStatusCode.OK);
        Assert.InRange(stored, 1, 59);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer =>
        {
            Assert.Equal(HttpStatusCode.Conflict, answer.Status);
            Assert.True(answer.IsProblem);
        });
        Assert.Equal(stored, (await AllAsync(browser)).GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task Readers_never_queue()
    {
        using var browser = await SeededAsync();
        await browser.AtOnceAsync(20, _ => "/slowread?delay=0");
        // A queue would take 20 x 500 ms. The bound leaves room for a busy machine and none for a queue.
        var started = Stopwatch.GetTimestamp();
        var answers = await browser.AtOnceAsync(20, _ => "/slowread?delay=500");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), $"20 readers took {Stopwatch.GetElapsedTime(started)}");
        Assert.All(answers, answer => Assert.Equal("48151623", answer.Body));
    }
}
