using System.Globalization;

namespace RedisSessions.Consistency.Commands;

/// <summary>The options of a command: <c>--name value</c>, or <c>--name</c> alone for a switch.</summary>
internal sealed class Arguments
{
    private static readonly string[] Switches = ["trace"];
    private readonly Dictionary<string, string> _values = [];

    private Arguments() { }

    /// <summary>Null when something is not understood.</summary>
    public static Arguments? Parse(ReadOnlySpan<string> args, params ReadOnlySpan<string> known)
    {
        var arguments = new Arguments();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || !known.Contains(args[i][2..]))
                return null;
            var name = args[i][2..];
            if (Switches.Contains(name))
                arguments._values[name] = "";
            else if (++i < args.Length)
                arguments._values[name] = args[i];
            else
                return null;
        }

        return arguments;
    }

    public bool Has(string name) => _values.ContainsKey(name);

    public string? Text(string name) => _values.GetValueOrDefault(name);

    /// <summary>A number, or what it is when it is not given.</summary>
    public double Number(string name, double otherwise) =>
        _values.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
