using RedisSessions.Consistency.Http.Faults;
using RedisSessions.TestServers;

namespace RedisSessions.Consistency.Http.Environments;

/// <summary>
/// Sessions move from one store to another while they are used, and back: <c>Handler</c> and <c>ReadThrough</c> change in the middle of a
/// run.
/// </summary>
internal sealed class ReadThroughEnvironment : HttpEnvironment
{
    private readonly HttpEnvironment _first, _second;
    private int _moves;

    /// <param name="first">Where sessions are when the run begins.</param>
    /// <param name="second">Where they move to.</param>
    public ReadThroughEnvironment(HttpEnvironment first, HttpEnvironment second) => (_first, _second) = (first, second);

    public override IReadOnlyList<FaultProxy> Proxies => [.. _first.Proxies, .. _second.Proxies];

    public override IReadOnlyList<HttpFault> Faults => [.. _first.Faults, .. _second.Faults, new SwitchStores(this)];

    /// <summary>The handler before the next start of the processes, and the one that is read through.</summary>
    public int Moves => _moves;

    /// <summary>Exchanges the two stores; the processes must be started anew.</summary>
    public void Switch() => _moves++;

    public override async Task HealAsync(CancellationToken cancellationToken)
    {
        await _first.HealAsync(cancellationToken);
        await _second.HealAsync(cancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    protected override IReadOnlyList<string> StoreSettings(int process)
    {
        var (handler, old) = _moves % 2 == 0 ? (_first, _second) : (_second, _first);
        const string Handler = "--Sessions:Handler=";
        var name = old.Settings(process).First(setting => setting.StartsWith(Handler, StringComparison.Ordinal))[Handler.Length..];
        // Before the first move there is nothing in the other store, and nobody reads through to it.
        string[] readThrough = _moves == 0 ? [] : [$"--Sessions:ReadThrough={name}"];
        return [.. old.Settings(process), .. handler.Settings(process), .. readThrough];
    }
}
