using System.Text.Json;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Values;

/// <summary>
/// Whatever object an application puts into a session: it is stored, or it is an argument error that says what to do. It never ends the process, which a
/// stack without an end does, and never takes all of the memory.
/// </summary>
public sealed class GraphTests
{
    // Buffers of 5 MiB for a session of at most one, and what the enumeration and the errors take.
    private const long MostMemory = 200L * 1024 * 1024;

    private static readonly JsonSerializerOptions Deep = new() { MaxDepth = 200 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Refused => [.. Shapes.Refused.Keys];

    public static TheoryData<string> Stored => [.. Shapes.Stored.Keys];

    private static (string Name, Func<Session, object, Task> Write)[] Ways =>
    [
        ("indexer", static (session, value) => { session["user"] = value; return Task.CompletedTask; }),
        ("Set", static (session, value) => { session.Set("user", value); return Task.CompletedTask; }),
        ("Push", static (session, value) => { session.Push("user", value); return Task.CompletedTask; }),
        ("Prepend", static (session, value) => { session.Prepend("user", value); return Task.CompletedTask; }),
        ("Flash", static (session, value) => { session.Flash("user", value); return Task.CompletedTask; }),
        ("UpdateAsync", static (session, value) => session.UpdateAsync(session => { session["user"] = value; }, Token).AsTask()),
    ];

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_cannot_be_stored_is_an_argument_error_that_names_the_key_and_says_what_to_do(string shape)
    {
        var engine = new Engine();
        var session = await engine.LoadAsync(await engine.StoredAsync(("other", 1)));
        var (reason, make) = Shapes.Refused[shape];
        var value = make();
        foreach (var (name, write) in Ways)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = await Assert.ThrowsAsync<ArgumentException>(async () => await write(session, value));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostMemory);
            Assert.Contains("'user'", error.Message, StringComparison.Ordinal);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Contains("Store what is needed of it", error.Message, StringComparison.Ordinal);
            // A log of it stays readable: no error for each level.
            Assert.InRange(error.ToString().Length, 0, 20_000);
            Assert.False(session.Has("user"), name);
        }

        session["other"] = 2;
        await session.CommitAsync(Token);
        Assert.Equal(2, session.Get<int>("other"));
    }

    [Theory]
    [MemberData(nameof(Stored))]
    public async Task What_has_an_end_is_stored_as_it_is(string shape)
    {
        var engine = new Engine();
        var (make, expected) = Shapes.Stored[shape];
        var session = engine.Manager.Create();
        session["user"] = make();
        await session.CommitAsync(Token);
        var read = await engine.LoadAsync(session.SessionId);
        Assert.Equal(JsonSerializer.Serialize(expected, Deep), JsonSerializer.Serialize(read["user"], Deep));
    }

    /// <summary>The limit is the one that the store's readers have: what is written can be read.</summary>
    [Fact]
    public void A_path_and_the_value_at_it_share_the_levels()
    {
        var session = new Engine().Manager.Create();
        var (make, _) = Shapes.Stored["63 lists inside each other"];
        session["a"] = make();
        Assert.Contains("'a.b'", Assert.Throws<ArgumentException>(() => session["a.b"] = make()).Message, StringComparison.Ordinal);
        Assert.Contains("'list'", Assert.Throws<ArgumentException>(() => session.Push("list", make())).Message, StringComparison.Ordinal);
    }
}
