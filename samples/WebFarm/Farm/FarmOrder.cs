namespace WebFarm.Farm;

/// <summary>
/// What an instance asks the balancer to do, as a header of its response. Its own death is among the things it may ask for: by then its answer
/// has arrived.
/// </summary>
internal sealed record FarmOrder(string Verb, string Instance)
{
    /// <summary>The response header; the balancer takes it off before the visitor sees it.</summary>
    public const string Header = "X-Farm-Order";

    public const string Kill = "kill", Start = "start";

    public override string ToString() => $"{Verb} {Instance}";

    public static FarmOrder? Parse(string? text) => text?.Split(' ') is [var verb, var instance] ? new FarmOrder(verb, instance) : null;
}
