using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using RedisSessions.Tests.Values;

namespace RedisSessions.Tests.Support;

/// <summary>
/// The engine over a store in memory, on a clock that stands still. <see cref="Manager"/> is the process under test, with a handler that can be
/// troubled; <see cref="Other"/> is another process over the same store, without any trouble.
/// </summary>
internal sealed class Engine
{
    public Engine(Action<RedisSessionsOptions>? configure = null, IMeterFactory? meters = null, ILogger<SessionManager>? logger = null)
    {
        Options = new RedisSessionsOptions();
        configure?.Invoke(Options);
        Store = new MemorySessionHandler(Time);
        Handler = new TroubledHandler(Store);
        Manager = New(Handler, meters, logger);
        Other = New(Store);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));

    public RedisSessionsOptions Options { get; }

    public MemorySessionHandler Store { get; }

    public TroubledHandler Handler { get; }

    public SessionManager Manager { get; }

    public SessionManager Other { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public SessionManager New(ISessionHandler handler, IMeterFactory? meters = null, ILogger<SessionManager>? logger = null, Random? jitter = null) =>
        new(handler, Microsoft.Extensions.Options.Options.Create(Options), Time, logger ?? NullLogger<SessionManager>.Instance, protector: null, meters) { Jitter = jitter ?? Random.Shared };

    /// <summary>A stored session.</summary>
    public async Task<SessionId> StoredAsync(params (string Key, object? Value)[] values)
    {
        var session = Other.Create();
        foreach (var (key, value) in values)
            session[key] = value;
        if (values.Length == 0)
            session.Set("some", "value");
        await session.CommitAsync(Token);
        return session.SessionId;
    }

    public ValueTask<Session> LoadAsync(SessionId id, SessionAccess access = SessionAccess.Optimistic) => Manager.LoadAsync(id, access, Token);

    /// <summary>Another process changes a stored session.</summary>
    public async Task OtherAsync(SessionId id, Action<Session> change)
    {
        var session = await Other.LoadAsync(id, cancellationToken: Token);
        change(session);
        await session.CommitAsync(Token);
    }

    /// <summary>What is stored under an id, as text; "nothing", or the state of a closed record.</summary>
    public string Stored(SessionId id) => Store.Peek(SessionKey.From(id)) switch
    {
        null => "nothing",
        { State: SessionState.Live } record => Given.Text(Manager.Open(record, SessionKey.From(id))),
        var closed => closed.State.ToString(),
    };

    /// <summary>What a request with this id sees, as text; "new" for a session that is not stored.</summary>
    public async Task<string> SeenAsync(SessionId id)
    {
        var session = await Other.LoadAsync(id, cancellationToken: Token);
        return session.IsNew ? "new" : Given.Text(session.All());
    }

    /// <summary>Lets time pass, in steps of a millisecond, until something has ended.</summary>
    public async Task<T> PassTimeAsync<T>(Task<T> task)
    {
        while (!task.IsCompleted)
        {
            Token.ThrowIfCancellationRequested();
            Time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        return await task;
    }
}
