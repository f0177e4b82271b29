using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using RedisSessions.Benchmarks;

// In this process: nothing is generated and built besides, and a run of all takes minutes. --job short|medium|long asks for more.
var job = Job.Default.WithToolchain(new InProcessEmitToolchain(logOutput: false))
    .WithWarmupCount(4).WithIterationCount(10).WithIterationTime(TimeInterval.FromMilliseconds(150));
var config = ManualConfig.Create(DefaultConfig.Instance)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumn(StatisticColumn.Min, StatisticColumn.Median)
    .HideColumns(Column.Error, Column.Gen0, Column.Gen1, Column.Gen2)
    .WithOptions(ConfigOptions.DisableOptimizationsValidator | ConfigOptions.JoinSummary);
if (!args.Contains("--job"))
    config.AddJob(job.AsDefault());
BenchmarkSwitcher.FromAssembly(typeof(RequestBenchmarks).Assembly).Run(args, config);
