using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Diagnostics;

/// <summary>What the log says of a conflict: where, and what both did; never a value.</summary>
public sealed partial class ConflictLogTests
{
    private readonly Lines _lines = new();
    private readonly Engine _engine;

    public ConflictLogTests() => _engine = new Engine(logger: _lines);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, Action<Session>, Action<Session>, string> Conflicts => new()
    {
        { "read and set", s => s["n"] = s.Get<int>("n") + 101, o => o["n"] = 202, "'n' was changed by another request after this one had read, then set it" },
        { "removed there", s => { _ = s["n"]; s["x"] = 101; }, o => o.Remove("n"), "'n' was removed by another request after this one had read it" },
        { "added there", s => { if (!s.Has("late")) s["late"] = 101; }, o => o["late"] = 202, "'late' was added by another request after this one had looked for, then set it" },
        { "incremented what is no number any more", s => s.Increment("n", 101), o => o["n"] = "text202", "'n' was changed by another request after this one had incremented it" },
        { "pushed to what is no list any more", s => s.Push("l", 101), o => o["l"] = 202, "'l' was changed by another request after this one had pushed to it" },
        { "read, and cleared all", s => { _ = s["n"]; s.Clear(); s["x"] = 101; }, o => o["n"] = 202, "'n' was changed by another request after this one had read, then cleared it" },
        { "read above, written below", s => { _ = s["m"]; s["m.a"] = 101; }, o => o["m.b"] = 202, "'m' was changed by another request after this one had read, then set it" },
    };

    [Theory]
    [MemberData(nameof(Conflicts))]
    public async Task A_refused_commit_says_what_both_did(string what, Action<Session> mine, Action<Session> theirs, string expected)
    {
        Assert.NotEmpty(what);
        var id = await _engine.StoredAsync(("n", 1), ("l", new[] { 1 }), ("m.a", 1));
        var session = await _engine.LoadAsync(id);
        mine(session);
        await _engine.OtherAsync(id, theirs);
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.CommitAsync(Token));
        Assert.Equal($"Session commit refused: {expected}", Assert.Single(_lines, line => line.Level == LogLevel.Information).Text);
        Assert.DoesNotContain(_lines, line => line.Text.Contains("101", StringComparison.Ordinal) || line.Text.Contains("202", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_rebase_says_what_was_replayed_on_what()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        session.Increment("n", 101);
        session["a.b"] = 101;
        session.Remove("n2");
        await _engine.OtherAsync(id, other => other.Increment("n", 202));
        await session.CommitAsync(Token);
        var line = Assert.Single(_lines);
        Assert.Matches(@"\(1\.[0-9a-f]{6} -> 2\.[0-9a-f]{6}\)", line.Text);
        Assert.Equal(
            (LogLevel.Debug, "Session commit met a newer version (1 -> 2). This request has incremented 'n' (changed), set 'a.b' (left alone), removed 'n2' (left alone); "
                + "in parentheses, what another request did there"), line with { Text = Tag().Replace(line.Text, "") });
    }

    [Fact]
    public async Task A_transaction_that_cannot_run_again_says_what_its_first_run_did()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        _ = session["n"];
        session["x"] = 101;
        _engine.Handler.Before(() => _engine.OtherAsync(id, other => other["n"] = 202));
        await Assert.ThrowsAsync<SessionConflictException>(async () => await session.UpdateAsync(s => s["y"] = 101, Token));
        Assert.Contains(_lines, line => line.Text.EndsWith("'n' was changed by another request after this one had read it", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_long_list_of_changes_is_cut()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _engine.LoadAsync(id);
        for (var i = 0; i < 20; i++)
            session[$"k{i}"] = 101;
        await _engine.OtherAsync(id, other => other.Increment("n"));
        await session.CommitAsync(Token);
        Assert.Contains("set 'k7' (left alone) and 12 more; in", Assert.Single(_lines).Text, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\.[0-9a-f]{6}(?=[ )])")]
    private static partial Regex Tag();

    private sealed class Lines : List<(LogLevel Level, string Text)>, ILogger<SessionManager>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add((logLevel, formatter(state, exception)));
    }
}
