using BenchmarkDotNet.Attributes;

namespace RedisSessions.Benchmarks;

/// <summary>A request of ten changes, as it commits alone, and as it meets a newer record and replays them on that.</summary>
public class RebaseBenchmarks
{
    private Visitor _visitor = null!;
    private SessionRecord _older = null!, _newer = null!;
    private long _n;

    [Params(1, 100)]
    public int Kilobytes { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _visitor = Visitor.Create(Kilobytes, Filling.Texts, static session => session.Set("counts.visits", 1));
        _older = _visitor.Store[_visitor.Key];
        var other = _visitor.Load();
        other.Set("ui.theme", "light");
        Visitor.Done(other.CommitAsync());
        _newer = _visitor.Store[_visitor.Key];
    }

    [Benchmark(Baseline = true, Description = "load, ten changes, commit")]
    public void Alone() => Change(null);

    [Benchmark(Description = "load, ten changes, conflict, rebase, commit")]
    public void Rebased() => Change(_newer);

    private void Change(SessionRecord? newer)
    {
        _visitor.Store[_visitor.Key] = _older;
        var session = _visitor.Load();
        _visitor.Store.Newer = newer;
        var n = ++_n & 0xFFFF;
        session.Set("account.tenant_id", n);
        session.Set("account.last_ip", "203.0.113.78");
        session.Set("ui.page_size", n);
        session.Set("ui.locale", "de-DE");
        session.Set("cart.total_cents", n);
        session.Increment("counts.visits");
        session.Increment("counts.clicks", 3);
        session.Push("history", "/projects/48151");
        session.Push("history", "/projects/48151/reports");
        session.Remove("nav.return_url");
        Visitor.Done(session.CommitAsync());
    }
}
