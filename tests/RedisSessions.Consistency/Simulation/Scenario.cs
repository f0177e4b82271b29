using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>A kind of run: who asks what of how many processes, and what goes wrong. The seed decides everything else.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="About">What it is for, in one sentence.</param>
internal sealed record Scenario(string Name, string About)
{
    public GeneratorProfile Requests { get; init; } = new();

    public FaultWeights Faults { get; init; } = FaultWeights.None;

    public int Browsers { get; init; } = 1;

    public int Tabs { get; init; } = 3;

    /// <summary>How many requests a tab sends.</summary>
    public int Length { get; init; } = 5;

    public int Processes { get; init; } = 2;

    /// <summary>Each process's clock minus the store's, in milliseconds; empty when they agree.</summary>
    public IReadOnlyList<long> ClockOffsets { get; init; } = [];

    /// <summary>The share of exclusive requests, in percent.</summary>
    public int Exclusive { get; init; }

    /// <summary>The share of pauses, in percent, that are longer than a second and at most <see cref="LongestPause"/>.</summary>
    public int LongPauses { get; init; }

    /// <summary>In milliseconds.</summary>
    public int LongestPause { get; init; } = 5_000;

    /// <summary>What the environment may do, each drawn so often at most.</summary>
    public IReadOnlyList<(EventKind What, int Times, int Number)> Events { get; init; } = [];

    /// <summary>Commits count when a replica has them; see <see cref="EventKind.FailOver"/>.</summary>
    public bool HasReplica { get; init; }

    /// <summary>Two stores, and a handler that is exchanged; see <see cref="EventKind.Switch"/>.</summary>
    public bool IsMoved { get; init; }

    /// <summary>Payloads are encrypted.</summary>
    public bool IsProtected { get; init; }

    /// <summary>Each browser's first request writes and is sent alone, so that its tabs begin with a session.</summary>
    public bool BeginsAlone { get; init; } = true;

    /// <summary>Which requests of the generator are sent.</summary>
    public Func<Request, bool> Accepts { get; init; } = static _ => true;

    public Action<RedisSessionsOptions> Configure { get; init; } = static _ => { };

    public Rules Rules { get; init; } = new();

    public StoreBug Bug { get; init; }

    /// <summary>The script that a seed stands for.</summary>
    public Script Plan(long seed)
    {
        var draws = new Draws(seed, Name);
        var generator = new Generator(new Random(unchecked((int)(seed * 7919) ^ draws.Below(int.MaxValue))), Requests);
        var requests = new List<PlannedRequest>();
        long longest = 0;
        for (var browser = 1; browser <= Browsers; browser++)
        {
            var first = BeginsAlone ? Begin(browser, requests, draws) : 0;
            for (var tab = 1; tab <= Tabs; tab++)
                longest = Math.Max(longest, PlanTab(browser, tab, first, requests, generator, draws));
        }

        return new Script(Name, seed, requests, PlanEvents(longest / 1000, draws));
    }

    /// <summary>A session with a value of each kind that the requests are about.</summary>
    private long Begin(int browser, List<PlannedRequest> requests, Draws draws)
    {
        List<Step> steps =
        [
            new(Op.Set) { Path = "a.x", Value = "1" },
            new(Op.Increment) { Path = "n", Number = 1 },
            new(Op.Push) { Path = "l", Value = "\"first\"" },
        ];
        if (Requests.Flash > 0)
            steps.Add(new Step(Op.Flash) { Path = "f", Value = "\"message\"" });
        requests.Add(new PlannedRequest(browser, 0, draws.Below(16), 0, new Request($"b{browser}r0", steps)));
        return 100_000;
    }

    private long PlanTab(int browser, int tab, long begins, List<PlannedRequest> requests, Generator generator, Draws draws)
    {
        var total = begins;
        for (var i = 0; i < Length; i++)
        {
            var think = (i == 0 ? begins : 0) + Pause(draws);
            var request = Next(generator, browser);
            if (draws.Below(100) < Exclusive)
                request = request with { Access = SessionAccess.Exclusive };
            requests.Add(new PlannedRequest(browser, tab, draws.Below(16), think, request));
            total += think;
        }

        return total;
    }

    private Request Next(Generator generator, int browser)
    {
        for (var tries = 0; ; tries++)
        {
            var request = generator.Next(browser);
            if (Accepts(request))
                return request;
            if (tries == 10_000)
                throw new InvalidOperationException($"The generator makes no request that scenario {Name} accepts.");
        }
    }

    private long Pause(Draws draws) =>
        draws.Below(100) < LongPauses ? draws.Between(1_000_000, Math.Max(LongestPause * 1000L, 1_000_001))
        : draws.Below(3) == 0 ? draws.Between(3_000, 50_000)
        : draws.Between(0, 3_000);

    private List<PlannedEvent> PlanEvents(long longest, Draws draws)
    {
        var events = new List<PlannedEvent>();
        foreach (var (what, times, number) in Events)
        {
            for (var i = draws.Below(times + 1); i > 0; i--)
                events.Add(new PlannedEvent(100 + draws.Between(0, longest), what, number > 0 ? 1 + draws.Below(number) : draws.Below(16)));
        }

        return [.. events.OrderBy(planned => planned.At)];
    }
}
