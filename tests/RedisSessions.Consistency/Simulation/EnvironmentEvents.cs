using System.Globalization;

namespace RedisSessions.Consistency.Simulation;

/// <summary>What happens to stores and processes, as the script has planned it.</summary>
internal sealed class EnvironmentEvents(World world)
{
    private const long Second = 1_000_000;

    public void Do(PlannedEvent planned)
    {
        if (planned.What is EventKind.Kill)
            Kill(planned.Number % world.Processes.Count);
        else if (planned.What is EventKind.Switch or EventKind.SwitchAbruptly)
            _ = MoveAsync(planned.What == EventKind.SwitchAbruptly);
        else
            Do(planned, world.Stores[planned.What is EventKind.RollBack or EventKind.FailOver ? 0 : planned.Number % world.Stores.Count]);
    }

    /// <summary>Nothing is wrong any more.</summary>
    public void Heal()
    {
        foreach (var store in world.Stores)
            (store.IsAway, store.IsFull) = (false, false);
    }

    private void Do(PlannedEvent planned, SimulatedStore store)
    {
        switch (planned.What)
        {
            case EventKind.Outage or EventKind.LongOutage:
                store.IsAway = true;
                world.Happened($"outage of the {store.Name} store");
                world.Scheduler.After((planned.What == EventKind.Outage ? 2 : 30) * Second, () => store.IsAway = false);
                break;
            case EventKind.Full:
                store.IsFull = true;
                world.Happened($"the {store.Name} store is full");
                world.Scheduler.After(5 * Second, () => store.IsFull = false);
                break;
            case EventKind.FailOver:
                store.Lag(planned.Number * 1000L);
                world.Happened(World.CutOff);
                world.Scheduler.After(planned.Number * 1000L, () => Undone("failover", store.FailOver()));
                break;
            case EventKind.RollBack:
                Undone("rollback", store.RollBack(planned.Number));
                break;
        }
    }

    private void Undone(string what, int changes) =>
        world.Happened(string.Create(CultureInfo.InvariantCulture, $"{what} of {changes} changes"));

    private void Kill(int number)
    {
        if (world.Processes[number].IsDead)
            return;
        world.Processes[number].Kill();
        world.Happened(string.Create(CultureInfo.InvariantCulture, $"kill of process {number}"));
        world.Scheduler.After(Second, () => Start(number));
    }

    private void Start(int number)
    {
        if (world.Processes[number].IsDead)
            world.Processes[number] = new SimulatedProcess(world, number, world.Processes[number].Clock.OffsetMilliseconds);
    }

    /// <summary>All processes at once: those that know the former handler only are stopped, then the new ones are started.</summary>
    private async Task MoveAsync(bool abruptly)
    {
        if (world.IsHeld)
            return;
        world.IsHeld = true;
        while (!abruptly && world.InFlight > 0)
            await world.DelayAsync(10_000);
        if (world.InFlight > 0)
            world.Happened("kill of all processes");
        foreach (var process in world.Processes)
            process.Kill();
        world.Moves++;
        world.Happened(world.Moves % 2 == 0 ? "switch back to the first store" : "switch to the second store");
        await world.DelayAsync(Second);
        for (var number = 0; number < world.Processes.Count; number++)
            Start(number);
        world.IsHeld = false;
    }
}
