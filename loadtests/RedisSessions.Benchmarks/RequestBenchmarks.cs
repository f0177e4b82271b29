using BenchmarkDotNet.Attributes;

namespace RedisSessions.Benchmarks;

/// <summary>What the engine costs a request: what it does beside the store's round trip, and beside HTTP.</summary>
public class RequestBenchmarks
{
    private Visitor _visitor = null!;
    private long _total;

    [ParamsSource(nameof(Sessions))]
    public (int Kilobytes, Filling Filling) Session { get; set; }

    public static IEnumerable<(int Kilobytes, Filling Filling)> Sessions =>
        [(1, Filling.Texts), (10, Filling.Texts), (100, Filling.Texts), (10, Filling.Values), (100, Filling.Values), (100, Filling.Flat)];

    [GlobalSetup]
    public void Prepare() => _visitor = Visitor.Create(Session.Kilobytes, Session.Filling);

    [Benchmark(Description = "load")]
    public Session Load() => _visitor.Load();

    [Benchmark(Description = "load, read one key")]
    public long Read()
    {
        var session = _visitor.Load();
        var user = session.Get<long>("account.current_user_id");
        Visitor.Done(session.CommitAsync());
        return user;
    }

    [Benchmark(Description = "load, write one key, commit")]
    public void Write()
    {
        var session = _visitor.Load();
        session.Set("cart.total_cents", 100_000 + (++_total & 0xFFFF));
        Visitor.Done(session.CommitAsync());
    }
}
