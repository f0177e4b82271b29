using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Simulation;

/// <summary>A visitor's browser: one cookie jar, and tabs that send at the same time.</summary>
internal sealed class Browser(World world, int number)
{
    // More than the engine's, the handler's and the script's own waits together: what has no answer by then will have none.
    private const long LongestAnswer = 600_000_000;

    private SessionId? _cookie;

    public async Task RunTabAsync(IEnumerable<PlannedRequest> requests)
    {
        foreach (var planned in requests)
        {
            await world.DelayAsync(planned.Think);
            await SendAsync(planned);
        }
    }

    /// <summary>Looks at the session that an id leads to, when all is over.</summary>
    public static async Task LookAsync(World world, int number, SessionId id)
    {
        var browser = new Browser(world, number) { _cookie = id };
        await browser.SendAsync(new PlannedRequest(number, 0, 0, 0, new Request($"look{number}", [new Step(Op.All)])));
    }

    private async Task SendAsync(PlannedRequest planned)
    {
        while (world.Alive(planned.Process) is null)
            await world.DelayAsync(100_000);
        var process = world.Alive(planned.Process)!;
        var draws = new Draws(world.Script.Seed, planned.Request.Id);
        var (began, at, cookie) = (world.Count(), world.Scheduler.Now / 1000, _cookie);
        var exchange = new Exchange(process, planned.Request, cookie, draws);
        world.Note($"browser {number} sends {planned.Request.Id} to process {process.Number} with {Text(cookie)}");
        world.InFlight++;
        var troubles = process.Troubles;
        process.After(world.Faults.Arrival(draws), () => _ = exchange.RunAsync());
        await Task.WhenAny(exchange.Answered, process.Died, world.DelayAsync(LongestAnswer));
        world.InFlight--;
        var answer = exchange.Answered.IsCompletedSuccessfully ? exchange.Answered.Result : Nothing(process.IsDead);
        if (exchange.Answered.IsCompleted)
            await world.DelayAsync(draws.Chance(0.1) ? draws.Between(500, 50_000) : draws.Between(50, 500));
        Take(answer);
        Check(planned.Request, answer, isUntroubled: troubles == process.Troubles && !process.IsDead);
        world.Note($"browser {number} has the answer to {planned.Request.Id}: {Text(answer)}");
        world.Observe(new Observation(
            planned.Request, number, process.Number, cookie is { } sent ? world.NumberOf(sent) : null, began,
            exchange.Answered.IsCompleted ? world.Count() : long.MaxValue, answer.WasNew, answer.Segments, answer.Cookie,
            answer.Id is { } id ? world.NumberOf(id) : null)
        {
            At = at,
            ClockOffset = process.Clock.OffsetMilliseconds,
        });
    }

    /// <summary>What needs no history: each request ends, and the store fails for nobody if nothing has gone wrong.</summary>
    private void Check(Request request, Exchange.Answer answer, bool isUntroubled)
    {
        if (answer.Segments.Any(segment => segment is { Fate: Fate.NoAnswer, Detail: Codes.NeverAnswered }))
            world.Find(Codes.NeverAnswered, request, "nothing is left to happen, and more time has passed than all time-outs together");
        if (isUntroubled && answer.Segments.FirstOrDefault(segment => segment.Fate == Fate.Unknown) is { } unknown)
            world.Find(
                IsCancelled(request) ? Codes.CancellationPoisons : Codes.FailedWithoutFault, request,
                $"the store has answered all that was asked, and the request is told: {unknown.Detail}");
        // Plain code runs once; what waits inside the delegates of others is not to hold it up.
        if (isUntroubled && answer.Segments.FirstOrDefault(GaveUp) is { } refused)
            world.Find(Codes.HeldUp, request, $"the store has answered all that was asked, and plain code is told: {refused.Detail}");
    }

    private static bool IsCancelled(Request request) => request.Steps.Any(step => step.Op is Op.CancelledCommit or Op.CancelledUpdate);

    private static bool GaveUp(Segment segment) =>
        segment is { Fate: Fate.Refused, IsUpdate: false } && segment.Detail?.Contains("tries to commit", StringComparison.Ordinal) == true;

    private void Take(Exchange.Answer answer) => _cookie = answer.Cookie switch
    {
        CookieAnswer.Issued => answer.Id,
        CookieAnswer.Expired => null,
        _ => _cookie,
    };

    private static Exchange.Answer Nothing(bool died) =>
        new([new Segment([], Fate.NoAnswer, died ? "the process died" : Codes.NeverAnswered)], null, CookieAnswer.None, null);

    private string Text(SessionId? cookie) => cookie is { } id ? $"cookie {world.NumberOf(id)}" : "no cookie";

    private string Text(Exchange.Answer answer) =>
        string.Join(", ", answer.Segments.Select(segment => segment.Fate + (segment.Detail is { } detail ? $" ({detail})" : "")))
        + (answer.Cookie == CookieAnswer.None ? "" : $", {answer.Cookie} {Text(answer.Id)}");
}
