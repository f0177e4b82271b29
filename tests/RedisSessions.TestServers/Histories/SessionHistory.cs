using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace RedisSessions.TestServers.Histories;

/// <summary>Takes down what many clients do at once; <see cref="Verify"/> judges it afterwards.</summary>
public sealed class SessionHistory
{
    private readonly ConcurrentQueue<SessionOperation> _operations = [];
    private int _tokens;

    public IReadOnlyCollection<SessionOperation> Operations => _operations;

    /// <summary>A token that nobody else has.</summary>
    public string NewToken() => Interlocked.Increment(ref _tokens).ToString(CultureInfo.InvariantCulture);

    public int Count(Outcome outcome) => _operations.Count(operation => operation.Outcome == outcome);

    /// <summary>Appends a token, and takes down what <paramref name="send"/> says became of it.</summary>
    public async Task<Outcome> PushAsync(string session, int id, Func<string, Task<Outcome>> send)
    {
        var token = NewToken();
        var invoked = Stopwatch.GetTimestamp();
        var outcome = await send(token);
        _operations.Enqueue(new Pushed(session, id, invoked, Stopwatch.GetTimestamp(), outcome, token));
        return outcome;
    }

    /// <summary>Reads the list; a read that failed says nothing, and is taken down to be counted.</summary>
    public async Task<Outcome> LookAsync(string session, int id, Func<Task<(Outcome Outcome, IReadOnlyList<string>? Tokens)>> read)
    {
        var invoked = Stopwatch.GetTimestamp();
        var (outcome, tokens) = await read();
        _operations.Enqueue(new Looked(session, id, invoked, Stopwatch.GetTimestamp(), outcome, tokens));
        return outcome;
    }

    /// <summary>Ends an id by a logout or a login.</summary>
    public async Task<Outcome> EndAsync(string session, int id, SessionEnd how, Func<Task<Outcome>> end)
    {
        var invoked = Stopwatch.GetTimestamp();
        var outcome = await end();
        _operations.Enqueue(new Ended(session, id, invoked, Stopwatch.GetTimestamp(), outcome, how));
        return outcome;
    }

    /// <summary>Everything that is wrong with it; see <see cref="HistoryChecker"/>.</summary>
    public IReadOnlyList<string> Violations() => HistoryChecker.Check(_operations);

    /// <summary>Fails the test, with the first of what is wrong.</summary>
    public void Verify()
    {
        var violations = Violations();
        Assert.True(violations.Count == 0, $"{violations.Count} violations in {_operations.Count} operations:\n{string.Join('\n', violations.Take(20))}");
    }

    public override string ToString() =>
        $"{_operations.Count} operations: {Count(Outcome.Acknowledged)} acknowledged, {Count(Outcome.Refused)} refused, {Count(Outcome.Unknown)} unknown";
}
