using System.Collections;
using System.Dynamic;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RedisSessions.Tests.Values;

/// <summary>Objects that applications have at hand, and what becomes of them: refused, or stored as what is beside them.</summary>
public static class Shapes
{
    private const string Cycle = "it contains itself, or nests deeper than 64 levels.", Size = "it has no end, or is several times as large";

    public static Dictionary<string, (string Reason, Func<object> Make)> Refused { get; } = new()
    {
        ["the user of a request"] = (Cycle, static () => new ClaimsPrincipal(Identity)),
        ["the identity of a user"] = (Cycle, static () => Identity),
        ["the claims of a user"] = (Cycle, static () => Identity.Claims.ToList()),
        ["the claims of a user, not yet in a list"] = (Cycle, static () => new Sequence { Elements = Identity.Claims }),
        ["an entity whose lines lead back to it"] = (Cycle, static () => Filled(new Order(), static it => it.Lines.Add(new OrderLine { Order = it }))),
        ["two entities that name each other"] = (Cycle, static () => Filled(new Ping(), static it => it.Pong = new Pong { Ping = it })),
        ["an entity that is its own parent"] = (Cycle, static () => Filled(new Node(), static it => it.Next = it)),
        ["an entity among its own children"] = (Cycle, static () => Filled(new Folder(), static it => it.Children.Add(it))),
        ["a chain of 100,000 nodes"] = (Cycle, static () => Chain(100_000)),
        ["a structure in a box that holds the box"] = (Cycle, static () => Filled<object>(new Boxed(), static it => ((IHolder)it).Held = it)),
        ["a map that contains itself"] = (Cycle, static () => Filled(new Dictionary<string, object>(), static it => it["self"] = it)),
        ["a table that contains itself"] = (Cycle, static () => Filled(new Hashtable(), static it => it["self"] = it)),
        ["a list that contains itself"] = (Cycle, static () => Filled(new List<object>(), static it => it.Add(it))),
        ["an old list that contains itself"] = (Cycle, static () => Filled(new ArrayList(), static it => it.Add(it))),
        ["an array that contains itself"] = (Cycle, static () => Filled(new object[1], static it => it[0] = it)),
        ["a tuple with a list that contains the tuple"] = (Cycle, static () => Filled(Tuple.Create(new List<object>()), static it => it.Item1.Add(it))),
        ["an expando that contains itself"] = (Cycle, static () => Expando(static it => it["self"] = it)),
        ["a sequence that yields what it belongs to"] = (Cycle, static () => Filled(new Sequence(), static it => it.Elements = Endless<object>(it).Take(1))),
        ["an old sequence that yields what it belongs to"] = (Cycle, static () => Filled(new OldSequence(), static it => it.Elements = Endless(it).Take(1))),
        ["a tree that grows where it is looked at"] = (Cycle, static () => new Growing()),
        ["a sequence without an end"] = (Size, static () => new Sequence { Elements = Endless<object>(1) }),
        ["a sequence of texts without an end"] = (Size, static () => new Sequence { Elements = Endless<object>(new string('x', 100_000)) }),
        ["a sequence of objects without an end"] = (Size, static () => new Sequence { Elements = Endless<object>(new Picture()) }),
        ["an old sequence without an end"] = (Size, static () => new OldSequence { Elements = Endless(1) }),
        ["a collection that has more than it counts"] = (Size, static () => new LyingCollection()),
        ["a small graph with a thousand billion paths"] = (Size, static () => Diamonds(40)),
        ["a document of JSON nodes"] = ("JSON goes in as text", static () => JsonNode.Parse("""{"a":[1,{"b":null}]}""")!),
        ["an element of JSON"] = ("JSON goes in as text", static () => JsonSerializer.SerializeToElement(1)),
        ["an object with a delegate"] = ("", static () => new { Callback = (Func<int>)(static () => 1) }),
        ["an object with a type"] = ("a type is no value.", static () => new { Kind = typeof(string) }),
        ["an exception that was thrown"] = ("an exception is no value.", Thrown),
        ["a task"] = ("", static () => Task.FromResult(1)),
        ["an assembly"] = ("", static () => new { typeof(Shapes).Assembly }),
        ["an object whose property throws"] = ("not here.", static () => new Throwing()),
        ["64 lists inside each other"] = ("would nest deeper than 64 levels.", static () => Nested(64)),
        ["65 lists inside each other"] = ("the payload nests deeper than 64 levels", static () => Nested(65)),
    };

    public static Dictionary<string, (Func<object> Make, object Expected)> Stored { get; } = new()
    {
        ["a linked list of 100,000"] = (static () => new LinkedList<int>(Enumerable.Range(0, 100_000)), Enumerable.Range(0, 100_000)),
        ["a sequence with an end"] = (
            static () => new Sequence { Elements = Endless<object>(7).Take(2) }, new Dictionary<string, object> { ["Elements"] = new[] { 7, 7 } }),
        ["an expando"] = (static () => Expando(static it => it["a"] = 1), new Dictionary<string, object> { ["a"] = 1 }),
        ["an object in two places"] = (static () => Filled(new int[2][], static it => it[0] = it[1] = [1]), new[] { [1], new[] { 1 } }),
        ["a chain of 30 nodes"] = (static () => Chain(30), Chain(30)),
        ["63 lists inside each other"] = (static () => Nested(63), Nested(63)),
        ["claims as values"] = (
            static () => Identity.Claims.ToDictionary(static claim => claim.Type, static claim => claim.Value), new Dictionary<string, string> { ["name"] = "ann" }),
    };

    private static ClaimsIdentity Identity => new([new("name", "ann")], "cookies");

    public sealed class Order
    {
        public List<OrderLine> Lines { get; set; } = [];
    }

    public sealed class OrderLine
    {
        public Order? Order { get; set; }
    }

    public sealed class Ping
    {
        public Pong? Pong { get; set; }
    }

    public sealed class Pong
    {
        public Ping? Ping { get; set; }
    }

    public sealed class Node
    {
        public Node? Next { get; set; }
    }

    public sealed class Folder
    {
        public HashSet<Folder> Children { get; set; } = [];
    }

    public interface IHolder
    {
        object? Held { get; set; }
    }

    public struct Boxed : IHolder
    {
        public object? Held { get; set; }
    }

    public sealed class Pair
    {
        public Pair? Left { get; set; }

        public Pair? Right { get; set; }
    }

    public sealed class Growing
    {
        public Growing First { get => new(); set => throw new NotSupportedException(); }

        public IEnumerable<Growing> Others { get => [new(), new()]; set => throw new NotSupportedException(); }
    }

    public sealed class Picture
    {
        public byte[] Bytes { get; set; } = new byte[100_000];
    }

    public sealed class Throwing
    {
        public int Number { get => throw new NotSupportedException("not here."); set => throw new NotSupportedException(); }
    }

    /// <summary>A sequence as the value of a property, of the type that says the least.</summary>
    public sealed class Sequence
    {
        public IEnumerable<object> Elements { get; set; } = [];
    }

    /// <summary>A sequence as it was before there were types for elements.</summary>
    public sealed class OldSequence
    {
        public IEnumerable Elements { get; set; } = Array.Empty<object>();
    }

    public sealed class LyingCollection : ICollection<int>
    {
        public int Count => 3;

        public bool IsReadOnly => true;

        public void Add(int item) => throw new NotSupportedException();

        public void Clear() => throw new NotSupportedException();

        public bool Contains(int item) => false;

        public void CopyTo(int[] array, int arrayIndex) => throw new NotSupportedException();

        public bool Remove(int item) => false;

        public IEnumerator<int> GetEnumerator() => Endless(1).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private static IEnumerable<T> Endless<T>(T element)
    {
        while (true)
            yield return element;
    }

    private static Node Chain(int length)
    {
        var first = new Node();
        for (var i = 1; i < length; i++)
            first = new Node { Next = first };
        return first;
    }

    private static Pair Diamonds(int levels)
    {
        var pair = new Pair();
        for (var i = 0; i < levels; i++)
            pair = new Pair { Left = pair, Right = pair };
        return pair;
    }

    private static object Nested(int levels)
    {
        object value = 1;
        for (var i = 0; i < levels; i++)
            value = new List<object> { value };
        return value;
    }

    private static InvalidOperationException Thrown()
    {
        try
        {
            throw new InvalidOperationException("a reason");
        }
        catch (InvalidOperationException e)
        {
            return e;
        }
    }

    private static ExpandoObject Expando(Action<IDictionary<string, object?>> fill) => Filled(new ExpandoObject(), it => fill(it));

    private static T Filled<T>(T value, Action<T> fill)
    {
        fill(value);
        return value;
    }
}
