using System.Globalization;

namespace RedisSessions.LoadTests;

/// <summary>Durations as people write them on a command line.</summary>
internal static class Duration
{
    /// <summary>Reads <c>500ms</c>, <c>30s</c>, <c>2m</c>, <c>30</c> (seconds) or <c>00:00:30</c>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        var unit = text.TrimStart("0123456789.".ToCharArray());
        TimeSpan? one = unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" or "" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            _ => null,
        };
        duration = default;
        if (one is null)
            return TimeSpan.TryParseExact(text, @"hh\:mm\:ss", CultureInfo.InvariantCulture, out duration);
        if (!double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount > 1_000_000)
            return false;
        duration = one.Value * amount;
        return true;
    }
}
