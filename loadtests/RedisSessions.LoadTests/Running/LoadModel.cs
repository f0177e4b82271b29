namespace RedisSessions.LoadTests.Running;

/// <summary>Who decides when a step begins.</summary>
/// <param name="Workers">How many steps run at a time: exactly so many in a closed model, at most so many in an open one.</param>
/// <param name="Rate">Open: so many steps begin in a second, whatever becomes of them. Null for closed: a step begins when the worker's last one has ended.</param>
internal sealed record LoadModel(int Workers, double? Rate)
{
    /// <summary>More steps than this do not begin at a time; those that wait for a worker count from when they should have begun.</summary>
    public const int MostInFlight = 512;

    public static LoadModel Closed(int connections) => new(connections, null);

    public static LoadModel Open(double rate) => new(MostInFlight, rate);
}
