using System.Globalization;

namespace RedisSessions.Consistency.Scripts;

/// <summary>Makes random single steps: which operation, which path, which value.</summary>
internal sealed class Operations(Random random, GeneratorProfile profile)
{
    private static readonly string[] Tops = ["a", "b", "c", "d", "e", "f", "g", "h"];
    private static readonly string[] Below = ["", "", ".x", ".x", ".y.z", ".0", ".1"];
    private int _values;

    /// <summary>Any step that is weighted in.</summary>
    /// <param name="inUpdate">Whether it is for a delegate.</param>
    public Step Next(bool inUpdate) => Weighted.Pick(
        random,
        [
            profile.Values, profile.Lists, profile.Literals, profile.Flash, profile.Lifetimes, profile.All,
            profile.Rotation, profile.Login, profile.Logout,
        ]) switch
    {
        0 => Value(),
        1 => List(),
        2 => Literal(),
        3 => Flash(),
        4 => Lifetime(),
        5 => new Step(random.Of(Op.All, Op.All, Op.Clear)),
        6 => new Step(Op.Rotate),
        7 => new Step(Op.Login),
        8 => new Step(inUpdate && random.Next(2) == 0 ? Op.All : Op.Destroy),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>A branch on what is there.</summary>
    public Step Condition(bool inUpdate)
    {
        var path = random.Next(3) == 0 ? ListPath() : Path();
        var step = random.Next(2) == 0 ? new Step(Op.IfHas) { Path = path } : new Step(Op.IfEquals) { Path = path, Value = SmallValue() };
        return step with { Then = [Next(inUpdate)], Else = random.Next(2) == 0 ? [Next(inUpdate)] : null };
    }

    /// <summary>A step that is refused where something of the wrong kind is.</summary>
    public Step Refusable() => random.Next(3) switch
    {
        0 => new Step(Op.Push) { Path = random.Of(Path(), Counter()), Value = NewValue() },
        1 => new Step(Op.Increment) { Path = random.Of(Path(), ListPath()), Number = 1 },
        _ => new Step(Op.Prepend) { Path = Counter(), Value = NewValue() },
    };

    private Step Value() => random.Next(10) switch
    {
        0 or 1 => new Step(Op.Get) { Path = Path() },
        2 => new Step(Op.Has) { Path = Path() },
        3 or 4 => new Step(Op.Set) { Path = Path(), Value = AnyValue() },
        5 => new Step(Op.Remove) { Path = Path() },
        6 => new Step(Op.Pull) { Path = Path() },
        7 => new Step(Op.Get) { Path = Counter() },
        _ => new Step(Op.Increment) { Path = Counter(), Number = random.Of(1, 1, 2, -1) },
    };

    private Step List() => random.Next(8) switch
    {
        0 or 1 or 2 => new Step(Op.Push) { Path = ListTop(), Value = NewValue() },
        3 => new Step(Op.Prepend) { Path = ListTop(), Value = NewValue() },
        4 => new Step(Op.Get) { Path = ListPath() },
        5 => new Step(Op.Has) { Path = ListPath() },
        6 => new Step(random.Of(Op.Remove, Op.Pull)) { Path = ListPath() },
        _ => new Step(Op.Set) { Path = ListPath(), Value = SmallValue() },
    };

    private Step Literal()
    {
        var key = profile.LiteralsMeetPaths ? random.Of("lit.one", "a.x", "n.k", "plain") : random.Of("lit.one", "lit.two");
        return random.Next(6) switch
        {
            0 or 1 => new Step(Op.LiteralGet) { Path = key },
            2 or 3 => new Step(Op.LiteralSet) { Path = key, Value = Json.Write(Text()) },
            4 => new Step(Op.LiteralRemove) { Path = key },
            _ => new Step(Op.LiteralKeys),
        };
    }

    private Step Flash()
    {
        var key = random.Of("f", "g", "m.f");
        return random.Next(8) switch
        {
            0 or 1 or 2 => new Step(Op.Flash) { Path = key, Value = NewValue() },
            3 => new Step(Op.Get) { Path = key },
            4 or 5 => new Step(Op.Pull) { Path = key },
            6 => new Step(Op.Keep) { Path = key },
            _ => new Step(Op.Reflash),
        };
    }

    private Step Lifetime() => random.Next(6) switch
    {
        0 or 1 => new Step(Op.GetLifetimes),
        2 or 3 => new Step(Op.SetIdleTimeout) { Number = random.Of(600, 900, 1200, 3600) },
        4 => new Step(Op.SetAbsoluteTimeout) { Number = random.Of(7200, 43200, 86400) },
        _ => new Step(Op.SetPersistent) { Number = random.Next(2) },
    };

    private string Path() => Tops[random.Next(Math.Min(profile.Keys, Tops.Length))] + Below[random.Next(Below.Length)];

    private string Counter() => random.Of("n", "n", "k", "o.n");

    private string ListTop() => random.Of("l", "l", "r", "o.l");

    private string ListPath() => ListTop() + random.Of("", ".0", ".0", ".1", ".2");

    private string AnyValue() => random.Next(5) switch
    {
        0 => random.Of("null", "true", "{\"x\":1}", "{\"x\":{\"q\":2},\"y\":[1,2]}", "[]", "[1,\"two\"]", "{}", "1.5"),
        1 => SmallValue(),
        _ => NewValue(),
    };

    /// <summary>One of few values, so that comparisons hold sometimes.</summary>
    private string SmallValue() => random.Of("0", "1", "2", "\"s\"");

    /// <summary>A value that nobody else writes, so that a lost or repeated write shows.</summary>
    private string NewValue() => Json.Write(Text());

    private string Text() => string.Create(CultureInfo.InvariantCulture, $"v{++_values}.{random.Next(1000)}");
}
