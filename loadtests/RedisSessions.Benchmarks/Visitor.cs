using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RedisSessions.Benchmarks;

/// <summary>What fills a session beyond the twenty keys of <c>TargetApp/payload.json</c>, which are 1 KB.</summary>
public enum Filling
{
    /// <summary>A few long texts at the top.</summary>
    Texts,

    /// <summary>The twenty keys again and again: thousands of small values in maps of maps.</summary>
    Values,

    /// <summary>Hundreds of small texts to the 10 KB, all of them at the top.</summary>
    Flat,
}

/// <summary>An engine over memory with one stored session.</summary>
internal sealed class Visitor
{
    private Visitor(MemoryHandler store, SessionManager manager, SessionId id)
    {
        Store = store;
        Manager = manager;
        Id = id;
        Key = SessionKey.From(id);
    }

    public MemoryHandler Store { get; }

    public SessionManager Manager { get; }

    public SessionId Id { get; }

    public SessionKey Key { get; }

    /// <param name="kilobytes">How large the session is, at least.</param>
    /// <param name="filling">With what beyond the first.</param>
    /// <param name="more">What else is in it.</param>
    public static Visitor Create(int kilobytes, Filling filling = Filling.Texts, Action<Session>? more = null)
    {
        var store = new MemoryHandler();
        var manager = new SessionManager(
            store, Options.Create(new RedisSessionsOptions()), TimeProvider.System, NullLogger<SessionManager>.Instance);
        var session = manager.Create();
        // Half of the filling stands before what is read and written, and half behind it.
        Fill(0, (kilobytes - 1) / 2);
        Twenty(session, "");
        Fill((kilobytes - 1) / 2, kilobytes - 1);
        more?.Invoke(session);
        Done(session.CommitAsync());
        _ = SessionId.TryParse(session.Id, out var id);
        return new Visitor(store, manager, id);

        void Fill(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                if (filling == Filling.Values)
                    Twenty(session, $"part{i}.");
                else if (filling == Filling.Flat)
                    Forty(session, i);
                else if (i % 5 == 0)
                    session.Set($"text{i / 5}", new string('x', 1024 * Math.Min(5, to - i)));
            }
        }
    }

    public Session Load() => Done(Manager.LoadAsync(Id));

    /// <summary>The result of what has answered at once, as everything here does.</summary>
    public static T Done<T>(ValueTask<T> answer) => answer.IsCompletedSuccessfully ? answer.GetAwaiter().GetResult() : throw new InvalidOperationException("The store has let us wait.");

    /// <inheritdoc cref="Done{T}(ValueTask{T})"/>
    public static void Done(ValueTask answer)
    {
        if (!answer.IsCompletedSuccessfully)
            throw new InvalidOperationException("The store has let us wait.");
        answer.GetAwaiter().GetResult();
    }

    private static void Forty(Session session, int kilobyte)
    {
        for (var i = 0; i < 40; i++)
            session.Set($"key{kilobyte:D3}-{i:D2}", $"value {kilobyte}-{i}");
    }

    private static void Twenty(Session session, string prefix)
    {
        using var values = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "payload.json")));
        foreach (var value in values.RootElement.EnumerateObject())
            session[prefix + value.Name] = value.Value.ValueKind == JsonValueKind.Number ? value.Value.GetInt64() : value.Value.GetString();
    }
}
