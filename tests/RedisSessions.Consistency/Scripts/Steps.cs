namespace RedisSessions.Consistency.Scripts;

/// <summary>What kinds of steps there are.</summary>
internal static class Steps
{
    /// <summary>Whether a step can change values, flash data, lifetimes or the id, if the session does not refuse it.</summary>
    public static bool Writes(this Step step) =>
        step.Op is Op.Set or Op.Remove or Op.Pull or Op.Increment or Op.Push or Op.Prepend or Op.Clear
        or Op.Flash or Op.Keep or Op.Reflash or Op.LiteralSet or Op.LiteralRemove || step.ActsOnTheWhole();

    /// <summary>Whether a step changes lifetimes, the id or the end.</summary>
    public static bool ActsOnTheWhole(this Step step) =>
        step.Op is Op.SetIdleTimeout or Op.SetAbsoluteTimeout or Op.SetPersistent or Op.Rotate or Op.Login or Op.Destroy;

    /// <summary>Whether a step waits, itself or inside.</summary>
    public static bool Waits(this Step step) =>
        step.Op == Op.Wait || (step.Then ?? []).Concat(step.Else ?? []).Any(Waits);

    /// <summary>The step without those inside it: what it itself asked.</summary>
    public static Step Flat(this Step step) => step.Then is null && step.Else is null ? step : step with { Then = null, Else = null };

    /// <summary>A step and all those inside it.</summary>
    public static IEnumerable<Step> All(this Step step) =>
        (step.Then ?? []).Concat(step.Else ?? []).SelectMany(All).Prepend(step);
}
