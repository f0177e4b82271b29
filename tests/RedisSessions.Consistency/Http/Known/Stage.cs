using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http.Known;

/// <summary>An environment with its farm, for a few requests in an order of their own.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly EnvironmentPlan _plan;
    private readonly int _seed;

    private Stage(EnvironmentPlan plan, int seed, HttpEnvironment environment, Farm farm) =>
        (_plan, _seed, Environment, Farm) = (plan, seed, environment, farm);

    public HttpEnvironment Environment { get; }

    public Farm Farm { get; }

    public Recorder Recorder { get; } = new();

    /// <summary>Starts it; null where this machine has not got what it needs.</summary>
    /// <param name="store">The name of the environment.</param>
    /// <param name="processes">How many processes there are.</param>
    /// <param name="seed">Of the search.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="extra">Arguments of the processes.</param>
    public static async Task<Stage?> TryStartAsync(
        string store, int processes, int seed, CancellationToken cancellationToken, params string[] extra)
    {
        var plan = EnvironmentCatalog.Find(store)!;
        plan = plan with { Extra = [.. plan.Extra, .. extra] };
        if (await plan.StartAsync(plan, processes, cancellationToken) is not { } environment)
            return null;
        try
        {
            return new Stage(plan, seed, environment, await Farm.StartAsync(environment, processes, cancellationToken));
        }
        catch
        {
            await environment.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a request and keeps what became of it.</summary>
    public async Task<Sent> SendAsync(Browser browser, int process, string name, params Step[] steps)
    {
        var request = new Request($"b{browser.Number}-{name}", steps);
        var sent = await browser.SendAsync(Farm.Processes[process], request, CancellationToken.None);
        Recorder.Keep(sent);
        return sent;
    }

    /// <summary>What has been seen so far, and what it breaks.</summary>
    public Found Judge() => Found.By(Recorder.History(_plan, _seed, Farm));

    public async ValueTask DisposeAsync()
    {
        await Farm.DisposeAsync();
        await Environment.DisposeAsync();
    }
}
