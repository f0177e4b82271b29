using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RedisSessions.AspNetCore.Tests.Docs;

/// <summary>What the documents show compiles and works, and their links lead somewhere.</summary>
public sealed partial class DocsTests(StoreFixture store)
{
    // By the solution above the built test, and not by this file's own path: a deterministic build does not know where it was made.
    private static readonly string Root = Above(AppContext.BaseDirectory);

    public static TheoryData<string> Documents => [.. Directory
        .EnumerateFiles(Root, "*.md", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Root, file))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules" or ".git"))];

    [Fact]
    public void Every_CSharp_block_of_a_document_is_code_that_compiles()
    {
        var code = SnippetInCode().Matches(File.ReadAllText(Path.Combine(Root, "tests/RedisSessions.AspNetCore.Tests/Docs/Snippets.cs"))).ToDictionary(match => match.Groups[1].Value, match => Dedent(match.Groups[2].Value));
        // The first example is a whole program: a project of its own compiles it with nothing else, and what is run here is a part of it.
        code.Add("registration", File.ReadAllText(Path.Combine(Root, "samples/QuickStart/Program.cs")).Trim());
        Assert.True(code.Remove("registration_body", out var body));
        Assert.Contains(body, code["registration"], StringComparison.Ordinal);
        List<string> shown = [];
        foreach (var document in Documents.Select(row => row.Data))
        {
            var text = File.ReadAllText(Path.Combine(Root, document));
            var blocks = SnippetInDocument().Matches(text);
            Assert.True(blocks.Count == CSharpBlock().Count(text), $"{document} has a C# block without <!-- snippet: name --> before it");
            foreach (Match block in blocks)
            {
                Assert.Equal(code[block.Groups[1].Value], block.Groups[2].Value.Trim());
                // What begins or ends as a program does is one, and has what a program needs.
                var isProgram = block.Groups[2].Value.Contains("CreateBuilder(args)", StringComparison.Ordinal) || block.Groups[2].Value.Contains("app.Run()", StringComparison.Ordinal);
                Assert.Equal(block.Groups[1].Value == "registration", isProgram);
                shown.Add(block.Groups[1].Value);
            }
        }

        Assert.Equal(code.Keys.Order(), shown.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_leads_to_something_that_is_there(string document)
    {
        var folder = Path.GetDirectoryName(Path.Combine(Root, document))!;
        foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(Root, document))))
        {
            var target = link.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
                Assert.True(Path.Exists(Path.Combine(folder, target)), $"{document} links to {target}, which is not there");
        }
    }

    [Fact]
    public void Every_attack_is_in_the_security_document_and_every_one_there_is_a_test()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(Path.GetDirectoryName(file)) == "Attacks")
            .SelectMany(file => TestMethod().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet();
        var listed = File.ReadLines(Path.Combine(Root, "docs/security.md")).SkipWhile(line => line != "## Attacks and what they meet").TakeWhile(line => !line.StartsWith("## OWASP", StringComparison.Ordinal))
            .SelectMany(line => Name().Matches(line).Select(match => match.Groups[1].Value)).Where(name => name.Contains('_', StringComparison.Ordinal) && name[0] != '_').ToHashSet();
        Assert.True(tests.Count > 20);
        Assert.Equal(tests.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_registration_of_the_README_works()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Sessions:Redis:Configuration", (string?)store.Configuration)]);
        await using var app = Snippets.Registration(builder);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var browser = new Browser(new Uri(app.Urls.Single()));

        Assert.NotNull((await browser.PostAsync("/login")).Id);
        await browser.PostAsync("/cart?sku=a&quantity=2");
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => browser.PostAsync("/cart?sku=a&quantity=1")));
        Assert.Equal("{\"a\":12}", (await browser.GetAsync("/cart")).Body);
        Assert.StartsWith("session=;", (await browser.PostAsync("/logout")).SetCookie, StringComparison.Ordinal);
        Assert.Equal("", (await browser.GetAsync("/cart")).Body.Replace("null", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_code_about_concurrency_works()
    {
        await using var app = await SessionApp.StartAsync(store, app =>
        {
            app.MapGet("/", async (Session session) =>
            {
                session["credit"] = 100;
                return $"{await Snippets.Concurrency(session, 7, 30)} {session["credit"]} {session["visits"]} {session["recently_seen.0"]}";
            });
        });
        using var browser = app.NewBrowser();
        Assert.Equal("70 40 1 7", (await browser.GetAsync("/")).Body);
    }

    [Fact]
    public async Task The_code_about_migrating_works()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddRedisSessions().AddRedis(store.Configuration);
        await using var app = builder.Build();
        app.UseRedisSessions();
        Snippets.Migrating(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var address = new Uri(app.Urls.Single());
        using Browser laptop = new(address), phone = new(address);
        // A user of this test's own: others may use the same store.
        var user = Guid.NewGuid().ToString("N");

        Assert.Contains("max-age=1209600", (await laptop.PostAsync($"/sign-in?user={user}&remember=true")).SetCookie, StringComparison.Ordinal);
        Assert.DoesNotContain("max-age", (await phone.PostAsync($"/sign-in?user={user}&remember=false")).SetCookie, StringComparison.Ordinal);
        Assert.Equal(2, (await phone.GetAsync("/account/sessions")).Body.Split("lastSeenAt").Length - 1);
        Assert.Equal("1", (await phone.PostAsync("/account/sign-out-everywhere-else")).Body);
        Assert.Single((await phone.GetAsync("/account/sessions")).Body.Split("\"isCurrent\":true").Skip(1));

        Assert.Equal(System.Net.HttpStatusCode.OK, (await phone.PostAsync("/checkout")).Status);
        Assert.Equal("paid", (await phone.GetAsync("/progress")).Body);
        Assert.Equal("logo", (await phone.GetAsync("/assets/logo")).Body);
    }

    [Fact]
    public void The_diff_of_the_migration_is_that_of_the_sample()
    {
        var (before, after) = (Program("Before.cs"), Program("After.cs"));
        Assert.Equal(before.Length, after.Length);
        var diff = before.Zip(after, static (old, now) => old == now ? [$" {old}".TrimEnd()] : (string[])[$"-{old}", $"+{now}"]).SelectMany(static lines => lines).ToArray();
        Assert.Equal(2, diff.Count(static line => line.StartsWith('+')));
        Assert.Contains(
            "```diff\n" + string.Join('\n', diff) + "\n```",
            File.ReadAllText(Path.Combine(Root, "docs/migrating.md")), StringComparison.Ordinal);

        static string[] Program(string file) => Dedent(Between().Match(File.ReadAllText(Path.Combine(Root, "samples/StockApp", file))).Groups[1].Value).Split('\n');
    }

    private static string Dedent(string code)
    {
        var lines = code.Trim('\n').TrimEnd().Split('\n');
        var indent = lines[0].Length - lines[0].TrimStart().Length;
        return string.Join('\n', lines.Select(line => line.Length >= indent ? line[indent..] : line.TrimStart()));
    }

    private static string Above(string folder) =>
        File.Exists(Path.Combine(folder, "RedisSessions.sln")) ? folder : Above(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("No RedisSessions.sln above the test."));

    [GeneratedRegex(@"// snippet: (\w+)\n(.*?)\n\s*// end", RegexOptions.Singleline)]
    private static partial Regex SnippetInCode();

    [GeneratedRegex(@"<!-- snippet: (\w+) -->\n```csharp\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex SnippetInDocument();

    [GeneratedRegex(@"^```(csharp|cs|c#)\s*$", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex(@"// <program>\n(.*?)\n\s*// </program>", RegexOptions.Singleline)]
    private static partial Regex Between();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\]]*\](?:\s*\[[^\n]*\])*\s*public (?:async Task|void) (\w+)\(")]
    private static partial Regex TestMethod();

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
