using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Faults;

namespace RedisSessions.Consistency.Http;

/// <summary>Starts an environment and a farm, lets browsers and faults loose on them, and gives the history.</summary>
internal static class HttpRun
{
    /// <returns>The history; null where this machine has not got what the environment needs.</returns>
    public static async Task<RunHistory?> RunAsync(HttpPlan plan, CancellationToken cancellationToken)
    {
        if (await plan.Environment.StartAsync(plan.Environment, plan.Processes, cancellationToken) is not { } environment)
            return null;
        await using (environment)
        {
            await using var farm = await Farm.StartAsync(environment, plan.Processes, cancellationToken);
            return await RunAsync(plan, environment, farm, cancellationToken);
        }
    }

    private static async Task<RunHistory> RunAsync(
        HttpPlan plan, HttpEnvironment environment, Farm farm, CancellationToken cancellationToken)
    {
        var recorder = new Recorder();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(plan.Length);
        var crowd = new Crowd(plan, farm, recorder);
        var context = new FaultContext(farm, environment, new Random(plan.Seed), recorder.Note, over.Token);
        var faults = FaultSchedule.RunAsync(context, plan.Faults(environment));
        var browsers = crowd.RunAsync(over.Token);
        await faults;
        await browsers;
        await environment.HealAsync(cancellationToken);
        recorder.Note("healed");
        await crowd.ReadAtLastAsync(cancellationToken);
        return recorder.History(plan.Environment, plan.Seed, farm);
    }
}
