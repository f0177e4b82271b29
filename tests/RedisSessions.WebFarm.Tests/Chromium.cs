using Microsoft.Playwright;

namespace RedisSessions.WebFarm.Tests;

/// <summary>The machine's own browser, driven by Playwright; nothing is downloaded.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--hide-scrollbars",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Opens it; skips the test, by name, where there is none.</summary>
    /// <param name="flags">Flags of the command line besides those that a test always needs.</param>
    public static async Task<Chromium> OpenAsync(params string[] flags)
    {
        var path = Executable();
        // Four processes and a browser start at once, on whatever machine this is.
        Assertions.SetDefaultExpectTimeout(30_000);
        var playwright = await Playwright.CreateAsync();
        try
        {
            return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = path, Args = [.. Flags, .. flags] }));
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>A visitor of its own, with its own cookies.</summary>
    public async Task<IBrowserContext> ContextAsync(BrowserNewContextOptions options)
    {
        var context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(30_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.CloseAsync();
        _playwright.Dispose();
    }

    private static string Executable()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .SelectMany(static folder => (string[])["chromium", "chromium-browser", "google-chrome"], Path.Combine)
            .FirstOrDefault(File.Exists);
        if (path is null)
            Assert.Skip("chromium is not installed: no chromium, chromium-browser or google-chrome on the PATH");
        return path;
    }
}
