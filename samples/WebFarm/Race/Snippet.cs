namespace WebFarm.Race;

/// <summary>Code of this program, to be shown: the lines between two marks of Contestants.cs, without their common indent.</summary>
internal static class Snippet
{
    public static string Read(string mark)
    {
        using var stream = typeof(Snippet).Assembly.GetManifestResourceStream("Contestants.cs")!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n').Select(static line => line.TrimEnd())
            .SkipWhile(line => !line.EndsWith($"// <{mark}>", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(line => !line.EndsWith($"// </{mark}>", StringComparison.Ordinal)).ToArray();
        var indent = lines.Min(static line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line[indent..]));
    }
}
