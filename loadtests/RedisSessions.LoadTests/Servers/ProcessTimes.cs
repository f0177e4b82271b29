using System.Globalization;

namespace RedisSessions.LoadTests.Servers;

/// <summary>How much processor a process has used.</summary>
internal static class ProcessTimes
{
    // What Linux shows to programs is in hundredths of a second on every machine.
    private const double TicksPerSecond = 100;

    /// <summary>Processor time so far, user and system, of all its threads; zero where there is no /proc.</summary>
    public static TimeSpan Of(int processId)
    {
        var file = string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat");
        if (!File.Exists(file))
            return TimeSpan.Zero;
        var line = File.ReadAllText(file);
        // The name of the program stands in parentheses and may hold anything; utime and stime are the 14th and 15th field.
        var fields = line[(line.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);
    }
}
