using System.Globalization;

namespace RedisSessions.WebFarm.Tests;

/// <summary>What runs under a farm, as the system sees it.</summary>
internal static class Processes
{
    /// <summary>Its children.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        try
        {
            return
            [
                .. Directory.GetDirectories($"/proc/{pid}/task").SelectMany(static thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    .Select(static child => int.Parse(child, CultureInfo.InvariantCulture)),
            ];
        }
        catch (IOException)
        {
            // It has ended.
            return [];
        }
    }

    /// <summary>Its children, theirs, and so on.</summary>
    public static IReadOnlyList<int> Under(int pid)
    {
        var children = ChildrenOf(pid);
        return [.. children, .. children.SelectMany(Under)];
    }

    public static string CommandLine(int pid) => Read(pid, "cmdline");

    public static string Environment(int pid) => Read(pid, "environ");

    /// <summary>Whom a terminal's Ctrl-C reaches together with it.</summary>
    public static int Group(int pid)
    {
        var stat = Read(pid, "stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[2], CultureInfo.InvariantCulture);
    }

    private static string Read(int pid, string what)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{what}");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
