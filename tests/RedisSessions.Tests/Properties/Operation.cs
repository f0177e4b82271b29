using CsCheck;
using RedisSessions.Tests.Values;

namespace RedisSessions.Tests.Properties;

/// <summary>One thing that an endpoint may do, on a session and on the model; both answer with the same text.</summary>
internal abstract record Operation(string Key)
{
    public const string Refused = "refused";

    private static readonly Gen<string> Segment = Gen.Int[0, 5].Select(i => "abc012"[i].ToString());

    private static readonly Gen<string> Keys = Gen.OneOf(
        Segment, Gen.Select(Segment, Segment, (x, y) => $"{x}.{y}"), Gen.Select(Segment, Segment, Segment, (x, y, z) => $"{x}.{y}.{z}"));

    private static readonly Gen<object?> Scalar = Gen.OneOf(
        Gen.Long.Select(value => (object?)value), Gen.Int[-40, 40].Select(value => (object?)(long)value), Gen.Bool.Select(value => (object?)value),
        Gen.String[0, 5].Where(text => !text.Any(char.IsSurrogate)).Select(value => (object?)value), Gen.Double.Select(value => (object?)value),
        Gen.Const((object?)null));

    private static readonly Gen<object?> Values = Gen.Frequency(
        (6, Scalar),
        (1, Scalar.Array[0, 3].Select(list => (object?)list)),
        (1, Gen.Select(Segment, Scalar, (key, value) => (object?)new Dictionary<string, object?> { [key] = value })));

    public static readonly Gen<(string, object?)[]> Tree = Gen.Select(Keys, Values).Array[0, 6];

    public static readonly Gen<Operation[]> List = Gen.OneOf<Operation>(
        Keys.Select(key => (Operation)new Get(key)), Keys.Select(key => (Operation)new Has(key)),
        Gen.Select(Keys, Values, (key, value) => (Operation)new Set(key, value)), Gen.Select(Keys, Values, (key, value) => (Operation)new Set(key, value)),
        Keys.Select(key => (Operation)new Remove(key)), Keys.Select(key => (Operation)new Pull(key)),
        Gen.Select(Keys, Gen.Int[-9, 9], (key, by) => (Operation)new Increment(key, by)),
        Gen.Select(Keys, Values, (key, value) => (Operation)new Push(key, value, false)),
        Gen.Select(Keys, Values, (key, value) => (Operation)new Push(key, value, true)),
        Gen.Int[0, 7].Select(dice => dice == 0 ? new ClearAll() : (Operation)new Get("a"))).Array[0, 12];

    /// <summary>Whether what it answers is about a write only, and it writes.</summary>
    public virtual bool Writes => true;

    public string Run(Session session)
    {
        try
        {
            return On(session);
        }
        catch (InvalidOperationException)
        {
            return Refused;
        }
    }

    public abstract string Run(Model model);

    protected abstract string On(Session session);

    internal sealed record Get(string Key) : Operation(Key)
    {
        public override bool Writes => false;

        public override string Run(Model model) => Given.Text(model.Find(Key)?.ToObject());

        protected override string On(Session session) => Given.Text(session[Key]);
    }

    internal sealed record Has(string Key) : Operation(Key)
    {
        public override bool Writes => false;

        public override string Run(Model model) => model.Find(Key) is null ? "no" : "yes";

        protected override string On(Session session) => session.Has(Key) ? "yes" : "no";
    }

    internal sealed record Set(string Key, object? Value) : Operation(Key)
    {
        public override string Run(Model model)
        {
            model.Set(Key, Node.From(Value));
            return "";
        }

        protected override string On(Session session)
        {
            session[Key] = Value;
            return "";
        }
    }

    internal sealed record Remove(string Key) : Operation(Key)
    {
        public override string Run(Model model) => model.Remove(Key) ? "yes" : "no";

        protected override string On(Session session) => session.Remove(Key) ? "yes" : "no";
    }

    internal sealed record Pull(string Key) : Operation(Key)
    {
        public override string Run(Model model)
        {
            var value = Given.Text(model.Find(Key)?.ToObject());
            model.Remove(Key);
            return value;
        }

        protected override string On(Session session) => Given.Text(session.Pull<object>(Key));
    }

    internal sealed record Increment(string Key, long By) : Operation(Key)
    {
        public override string Run(Model model) => model.Increment(Key, By) is { } sum ? Given.Text(sum) : Refused;

        protected override string On(Session session) => Given.Text(session.Increment(Key, By));
    }

    internal sealed record Push(string Key, object? Value, bool First) : Operation(Key)
    {
        public override string Run(Model model) => model.Push(Key, Node.From(Value), First) ? "" : Refused;

        protected override string On(Session session)
        {
            if (First)
                session.Prepend(Key, Value);
            else
                session.Push(Key, Value);
            return "";
        }
    }

    internal sealed record ClearAll() : Operation("*")
    {
        public override string Run(Model model)
        {
            model.Root.Map!.Clear();
            return "";
        }

        protected override string On(Session session)
        {
            session.Clear();
            return "";
        }
    }
}
