using System.Net;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.StockApp;

/// <summary>An application that was written for the framework's session: what it loses there, and what it loses after two lines have changed.</summary>
public sealed class StockAppTests(StoreFixture store)
{
    private const int Requests = 50;
    private static readonly string[] Sizes = ["a4", "a3", "a2", "a1"];
    private static readonly string[] Motifs =
        ["ember", "dune", "meadow", "fern", "lagoon", "harbour", "glacier", "night", "lavender", "orchid", "rose", "poppy", "straw"];

    // As many different things as there are requests: one that is missing has been lost.
    private static readonly string[] Skus = [.. Motifs.SelectMany(static motif => Sizes.Select(size => $"{motif}-{size}")).Take(Requests)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Under_the_frameworks_session_updates_that_were_answered_with_success_are_lost()
    {
        await using var shop = await StartAsync("--stock");
        var (stored, refused, lost) = await AddAllAtOnceAsync(shop);
        Report("the framework's session", stored, refused, lost);
        // The control of what follows: the same requests do get into each other's way.
        Assert.Equal(0, refused);
        Assert.True(lost > 0, "nothing was lost: these requests were not at the same time, and prove nothing");
    }

    [Fact]
    public async Task With_RedisSessions_every_update_is_stored_or_answered_409()
    {
        await using var shop = await StartAsync();
        var (stored, refused, lost) = await AddAllAtOnceAsync(shop);
        Report("RedisSessions", stored, refused, lost);
        Assert.Equal((0, Requests), (lost, stored + refused));
        Assert.True(stored > 0);
        Assert.True(refused > 0, "nothing was refused: these requests were not at the same time, and prove nothing");
    }

    [Fact]
    public async Task With_exclusive_access_every_update_is_stored()
    {
        await using var shop = await StartAsync("--Sessions:DefaultAccess=Exclusive");
        var (stored, refused, lost) = await AddAllAtOnceAsync(shop);
        Report("RedisSessions, Sessions:DefaultAccess=Exclusive", stored, refused, lost);
        Assert.Equal((Requests, 0, 0), (stored, refused, lost));
    }

    [Fact]
    public async Task A_message_is_there_for_one_page_and_a_page_without_one_makes_no_session()
    {
        await using var shop = await StartAsync();
        using var visitor = new Visitor(shop);
        await visitor.PageAsync("/");
        Assert.DoesNotContain("session", visitor.CookieNames);
        Assert.Equal(HttpStatusCode.Found, await visitor.AddAsync("dune-a3"));
        Assert.Contains("session", visitor.CookieNames);
        Assert.Contains("Dune in A3 is in your cart.", await visitor.PageAsync("/"), StringComparison.Ordinal);
        Assert.DoesNotContain("Dune in A3 is in your cart.", await visitor.PageAsync("/"), StringComparison.Ordinal);
        Assert.Equal(["dune-a3"], await visitor.CartAsync());
    }

    [Theory]
    [InlineData("Optimistic")]
    [InlineData("Exclusive")]
    public async Task Visitors_stay_signed_in_with_their_cart_when_the_application_moves(string access)
    {
        using var visitor = await ShoppingAsync();
        await using var shop = await StartAsync($"--Sessions:DefaultAccess={access}");
        visitor.Shop = shop;
        Assert.Equal("ada", await visitor.UserAsync());
        Assert.Equal(["dune-a3", "night-a1"], await visitor.CartAsync());
        Assert.Contains("session", visitor.CookieNames);
        Assert.DoesNotContain(".AspNetCore.Session", visitor.CookieNames);
        Assert.Equal(HttpStatusCode.Found, await visitor.AddAsync("rose-a4"));
        Assert.Equal(["dune-a3", "night-a1", "rose-a4"], await visitor.CartAsync());

        async Task<Visitor> ShoppingAsync()
        {
            await using var before = await StartAsync("--stock");
            var visitor = new Visitor(before);
            await visitor.SignInAsync("ada");
            await visitor.AddAsync("dune-a3");
            await visitor.AddAsync("night-a1");
            Assert.Contains(".AspNetCore.Session", visitor.CookieNames);
            return visitor;
        }
    }

    [Fact]
    public async Task It_works_on_a_machine_without_a_Redis()
    {
        var folder = Directory.CreateTempSubdirectory("stockapp-");
        try
        {
            foreach (var mode in (string[])["--stock", $"--Sessions:File:Path={folder.FullName}"])
            {
                await using var shop = await StockAppProcess.StartAsync([mode], Token);
                using var visitor = new Visitor(shop);
                await visitor.SignInAsync("ada");
                await visitor.AddAsync("dune-a3");
                Assert.Equal("ada", await visitor.UserAsync());
                Assert.Equal(["dune-a3"], await visitor.CartAsync());
            }

            Assert.NotEmpty(folder.GetFiles("*", SearchOption.AllDirectories));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private Task<AppProcess> StartAsync(params string[] settings) =>
        StockAppProcess.StartAsync([$"--Sessions:Redis:Configuration={store.Configuration}", .. settings], Token);

    /// <summary>One visitor, who has a session already, puts everything into the cart at once.</summary>
    private static async Task<(int Stored, int Refused, int Lost)> AddAllAtOnceAsync(AppProcess shop)
    {
        using var visitor = new Visitor(shop);
        await visitor.SignInAsync("ada");
        var answers = await Task.WhenAll(Skus.Select(async sku => (sku, status: await visitor.AddAsync(sku))));
        Assert.All(answers, answer => Assert.True(answer.status is HttpStatusCode.Found or HttpStatusCode.Conflict, $"{answer.status}"));
        var cart = await visitor.CartAsync();
        var stored = answers.Where(answer => answer.status == HttpStatusCode.Found).Select(answer => answer.sku).ToList();
        Assert.DoesNotContain(cart, sku => !stored.Contains(sku));
        return (stored.Count, answers.Length - stored.Count, stored.Except(cart).Count());
    }

    private static void Report(string what, int stored, int refused, int lost) => TestContext.Current.TestOutputHelper?.WriteLine(
        $"{what}: {Requests} parallel updates of one session, {stored} answered with success, {refused} answered 409, {lost} answered with success and lost");
}
