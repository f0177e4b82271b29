using BenchmarkDotNet.Attributes;

namespace RedisSessions.Benchmarks;

/// <summary>One read by dot notation, in a session that is loaded already.</summary>
public class PathBenchmarks
{
    private Session _session = null!;
    private string _path = "";

    [Params(1, 3, 6)]
    public int Depth { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _path = string.Join('.', Enumerable.Range(1, Depth).Select(level => $"level{level}"));
        _session = Visitor.Create(1, more: session => session.Set(_path, 42)).Load();
        if (_session.Get<int>(_path) != 42)
            throw new InvalidOperationException("What was stored is not read.");
    }

    [Benchmark(Description = "read by path")]
    public int Read() => _session.Get<int>(_path);
}
