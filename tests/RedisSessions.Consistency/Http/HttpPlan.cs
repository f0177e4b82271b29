using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>One run over HTTP: where, from which seed, how long, and how much at once.</summary>
/// <param name="Environment">Where sessions are.</param>
/// <param name="Seed">Decides what browsers ask and which faults happen; the order in which they meet is the machine's.</param>
/// <param name="Length">How long browsers and faults go on.</param>
internal sealed record HttpPlan(EnvironmentPlan Environment, int Seed, TimeSpan Length)
{
    public int Processes { get; init; } = 2;

    /// <summary>How many browsers are at work at once.</summary>
    public int Browsers { get; init; } = 3;

    /// <summary>How many requests of one browser are under way at once.</summary>
    public int Parallel { get; init; } = 3;

    /// <summary>After so many requests a browser gives way to a new one: short histories are judged fast and read easily.</summary>
    public int RequestsPerBrowser { get; init; } = 30;

    public GeneratorProfile Profile { get; init; } = HttpProfiles.All;

    /// <summary>Which of the generated requests are sent.</summary>
    public Func<Request, bool> Takes { get; init; } = static _ => true;

    /// <summary>What may go wrong there; the run's seed chooses among it.</summary>
    public Func<HttpEnvironment, IReadOnlyList<HttpFault>> Faults { get; init; } =
        environment => FaultSchedule.For(environment, Environment.MostAhead);
}
