using BenchmarkDotNet.Attributes;

namespace RedisSessions.Benchmarks;

/// <summary>Ids and the names that they have in a store.</summary>
public class IdBenchmarks
{
    private readonly SessionId _id = SessionId.New();
    private string _cookie = "";
    private SessionId _new;
    private CommitId _commit;

    [GlobalSetup]
    public void Prepare() => _cookie = _id.Value;

    [Benchmark(Description = "a new id")]
    public void New() => _new = SessionId.New();

    [Benchmark(Description = "an id from a cookie")]
    public bool Parse() => SessionId.TryParse(_cookie, out _);

    [Benchmark(Description = "the key of an id")]
    public SessionKey Hash() => SessionKey.From(_id);

    [Benchmark(Description = "a new commit id")]
    public void Commit() => _commit = CommitId.New();
}
