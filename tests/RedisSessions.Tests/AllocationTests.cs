using System.Buffers;
using System.Text.Json;
using RedisSessions.Tests.Diagnostics;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>What a request may take from the memory, whatever the machine. Alone: a trace that somebody listens to costs something.</summary>
[Collection(nameof(Listening))]
public sealed class AllocationTests
{
    private const int Times = 200;

#if DEBUG
    // Here async methods are objects, also those that never wait.
    private const int ReadMost = 1280;
#else
    private const int ReadMost = 1024;
#endif

    private readonly KeptBytes _store = new();
    private readonly Engine _engine = new();
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private long _n;

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void A_request_that_reads_takes_a_kilobyte(int kilobytes)
    {
        var manager = _engine.New(_store);
        var id = Stored(manager, kilobytes);
        Assert.InRange(Allocated(() =>
        {
            var session = Done(manager.LoadAsync(id, cancellationToken: _token));
            _n = session.Get<long>("account.current_user_id");
            Done(session.CommitAsync(_token));
        }), 1, ReadMost);
        Assert.Equal(48151623, _n);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void A_request_that_writes_takes_four_however_large_the_session_is(int kilobytes)
    {
        var manager = _engine.New(_store);
        var id = Stored(manager, kilobytes);
        var before = _store.Commits;
        Assert.InRange(Allocated(() =>
        {
            var session = Done(manager.LoadAsync(id, cancellationToken: _token));
            session.Set("cart.total_cents", 100_000 + ++_n);
            Done(session.CommitAsync(_token));
        }), 1, 4096);
        Assert.Equal(before + 2 * Times, _store.Commits);
    }

    [Fact]
    public void A_read_by_path_takes_nothing()
    {
        var manager = _engine.New(_store);
        var session = Done(manager.LoadAsync(Stored(manager, 1), cancellationToken: _token));
        Assert.Equal(0, Allocated(() =>
        {
            session.Get<long>("cart.total_cents");
            session.Has("account.nobody");
        }));
    }

    private SessionId Stored(SessionManager manager, int kilobytes)
    {
        var session = manager.Create();
        using var values = JsonDocument.Parse(Repository.Read("loadtests", "TargetApp", "payload.json"));
        foreach (var value in values.RootElement.EnumerateObject())
            session[value.Name] = value.Value.ValueKind == JsonValueKind.Number ? value.Value.GetInt64() : value.Value.GetString();
        for (var i = 5; i < kilobytes; i += 5)
            session.Set($"text{i}", new string('x', 5 * 1024));
        Done(session.CommitAsync(_token));
        return session.SessionId;
    }

    private static long Allocated(Action run) => Allocations.Of(run, Times) / Times;

    private static T Done<T>(ValueTask<T> answer)
    {
        Assert.True(answer.IsCompletedSuccessfully);
        return answer.Result;
    }

    private static void Done(ValueTask answer)
    {
        Assert.True(answer.IsCompletedSuccessfully);
        answer.GetAwaiter().GetResult();
    }

    /// <summary>A store with two buffers of its own, which take turns, for one session.</summary>
    private sealed class KeptBytes : ISessionHandler
    {
        private readonly ArrayBufferWriter<byte>[] _buffers = [new(), new()];
        private SessionRecord? _record;

        public int Commits { get; private set; }

        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => new(_record);

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            var buffer = _buffers[++Commits % 2];
            buffer.ResetWrittenCount();
            RecordFormat.Write(record, buffer);
            _record = RecordFormat.Read(buffer.WrittenMemory);
            return new(CommitResult.Committed.Instance);
        }

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(false);
    }
}
