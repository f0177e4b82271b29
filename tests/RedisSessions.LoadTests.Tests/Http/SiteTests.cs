using RedisSessions.LoadTests.Compare;
using RedisSessions.LoadTests.Http;
using RedisSessions.TestServers;

namespace RedisSessions.LoadTests.Tests.Http;

public sealed class SiteTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task An_answer_in_pieces_is_put_together_and_the_connection_is_used_again()
    {
        await using var server = new RawServer(["HTTP/1.1 503 Service Unavail", "able\r\nContent-Le", "ngth: 2\r\n\r", "\n{", "}"]);
        using var connection = await HttpConnection.OpenAsync(server.Address, Token);
        for (var i = 0; i < 3; i++)
            Assert.Equal(new HttpAnswer(503, "{}", null), await connection.SendAsync(RequestBytes.Get(server.Address, "/", null), Token));
    }

    [Fact]
    public async Task A_large_answer_is_read_whole()
    {
        var body = new string('x', 300_000);
        await using var server = new RawServer([$"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n", body]);
        using var connection = await HttpConnection.OpenAsync(server.Address, Token);
        Assert.Equal(body, (await connection.SendAsync(RequestBytes.Get(server.Address, "/", null), Token)).Body);
    }

    [Fact]
    public async Task A_connection_that_ends_in_the_middle_of_an_answer_is_an_error()
    {
        await using var server = new RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"], closes: true);
        using var connection = await HttpConnection.OpenAsync(server.Address, Token);
        await Assert.ThrowsAsync<IOException>(async () => await connection.SendAsync(RequestBytes.Get(server.Address, "/", null), Token));
    }

    [Fact]
    public async Task An_instance_that_is_gone_costs_no_request()
    {
        await using var server = new RawServer([Ok]);
        using var site = new Site([new Uri($"http://127.0.0.1:{FreePort.Next()}"), server.Address]);
        for (var i = 0; i < 10; i++)
            Assert.True((await site.SendAsync("/", null, Token)).IsOk);
        Assert.Equal(10, server.Requests);
    }

    [Fact]
    public async Task A_request_that_went_out_is_not_sent_again()
    {
        await using var broken = new RawServer(["HTTP/1.1 200 OK\r\n"], closes: true);
        await using var whole = new RawServer([Ok]);
        using var site = new Site([broken.Address, whole.Address]);
        var answers = new List<HttpAnswer>();
        for (var i = 0; i < 10; i++)
            answers.Add(await site.SendAsync("/", null, Token));
        Assert.Equal((5, 5), (answers.Count(answer => answer.IsOk), answers.Count(answer => answer == HttpAnswer.Lost)));
        Assert.Equal((5, 5), (broken.Requests, whole.Requests));
        Assert.True(HttpAnswer.Lost.MayBeStored);
    }

    [Fact]
    public async Task Nobody_there_is_an_answer_too_and_nothing_can_be_stored()
    {
        using var site = new Site([new Uri($"http://127.0.0.1:{FreePort.Next()}")]);
        var answer = await site.SendAsync("/", null, Token);
        Assert.Equal((HttpAnswer.Unsent, false), (answer, answer.MayBeStored));
    }

    [Fact]
    public async Task The_polling_load_counts_right_answers_and_wrong_ones()
    {
        await using var right = new RawServer([Ok]);
        await using var wrong = new RawServer(["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"]);
        await using var broken = new RawServer(["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"], closes: true);
        Assert.True(Run(right) is { Answered: > 0, Wrong: 0 } good && good.Latency.TotalCount == good.Answered);
        Assert.True(Run(wrong) is { Answered: 0, Wrong: > 0 });
        Assert.True(Run(broken) is { Answered: 0, Wrong: > 0 });

        static LoadResult Run(RawServer server)
        {
            using var load = new PollingLoad(server.Address, connections: 4, [RequestBytes.Get(server.Address, "/", "x")], static body => body.SequenceEqual("ok"u8));
            var result = load.Run(TimeSpan.FromMilliseconds(100));
            Assert.Equal(server.Requests, result.Answered + result.Wrong);
            return result;
        }
    }

    [Fact]
    public async Task A_burst_goes_to_all_instances_in_turns_and_has_every_answer()
    {
        await using var first = new RawServer(["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 2\r\n\r\no", "k"]);
        await using var second = new RawServer(["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"]);
        using var site = new Site([first.Address, second.Address]);
        using var burst = site.OpenBurst(9);
        var requests = burst.Requests("/", Enumerable.Repeat("x", 9));
        for (var i = 0; i < 3; i++)
        {
            var (last, answers) = burst.Send(requests, 0, TimeProvider.System);
            Assert.Equal(Enumerable.Range(0, 9).Select(one => one % 2 == 0 ? 200 : 503), answers.Select(answer => answer.Status));
            Assert.True(last > TimeSpan.Zero);
        }

        Assert.Equal("ok", Assert.Single(burst.Send(requests.AsSpan(4, 1), 4, TimeProvider.System).Answers).Body);
        Assert.Equal((16, 12), (first.Requests, second.Requests));
    }

    [Fact]
    public async Task In_a_burst_an_answer_that_breaks_off_is_lost_and_who_is_not_there_was_sent_nothing()
    {
        await using var broken = new RawServer(["HTTP/1.1 200 OK\r\n"], closes: true);
        await using var whole = new RawServer([Ok]);
        using var site = new Site([broken.Address, whole.Address, new Uri($"http://127.0.0.1:{FreePort.Next()}")]);
        using var burst = site.OpenBurst(3);
        var requests = burst.Requests("/", ["x", "y", "z"]);
        for (var i = 0; i < 2; i++)
            Assert.Equal([HttpAnswer.Lost, new HttpAnswer(200, "ok", null), HttpAnswer.Unsent], burst.Send(requests, 0, TimeProvider.System).Answers);
        Assert.Equal((2, 2), (broken.Requests, whole.Requests));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;
}
