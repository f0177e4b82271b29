using System.Globalization;
using RedisSessions.Consistency.Http.Environments;
using RedisSessions.Consistency.Http.Known;

namespace RedisSessions.Consistency.Http;

/// <summary>The arguments of the command <c>http</c>.</summary>
internal sealed record HttpArguments
{
    public IReadOnlyList<EnvironmentPlan> Environments { get; private init; } = [];

    /// <summary>The known holes to look for.</summary>
    public IReadOnlyList<HttpHole> Holes { get; private init; } = [];

    public int Seed { get; private init; } = 1;

    /// <summary>For each environment.</summary>
    public TimeSpan Length { get; private init; } = TimeSpan.FromMinutes(1);

    public int Processes { get; private init; } = 2;

    /// <summary>Whether only requests are sent that no known hole touches.</summary>
    public bool IsClean { get; private init; }

    /// <summary>Where histories with findings are kept.</summary>
    public string Folder { get; private init; } = "findings";

    /// <returns>Null when they make no sense.</returns>
    public static HttpArguments? TryParse(IReadOnlyList<string> arguments)
    {
        var parsed = new HttpArguments();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is "--all" or "--holes")
            {
                parsed = arguments[i] == "--all"
                    ? parsed with { Environments = EnvironmentCatalog.All }
                    : parsed with { Holes = HttpHoles.All };
                continue;
            }

            if (i + 1 == arguments.Count || With(parsed, arguments[i], arguments[++i]) is not { } next)
                return null;
            parsed = next;
        }

        return parsed.Environments.Count + parsed.Holes.Count > 0 ? parsed : null;
    }

    private static HttpArguments? With(HttpArguments parsed, string name, string value) => name switch
    {
        "--store" when EnvironmentCatalog.Find(value) is { } environment =>
            parsed with { Environments = [.. parsed.Environments, environment] },
        "--hole" when HttpHoles.All.FirstOrDefault(hole => hole.Letter == value) is { } hole =>
            parsed with { Holes = [.. parsed.Holes, hole] },
        "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => parsed with { Seed = seed },
        "--minutes" when double.TryParse(value, CultureInfo.InvariantCulture, out var minutes) && minutes > 0 =>
            parsed with { Length = TimeSpan.FromMinutes(minutes) },
        "--processes" when int.TryParse(value, CultureInfo.InvariantCulture, out var processes) && processes is > 0 and <= 16 =>
            parsed with { Processes = processes },
        "--profile" when value is "all" or "clean" => parsed with { IsClean = value == "clean" },
        "--out" => parsed with { Folder = value },
        _ => null,
    };
}
