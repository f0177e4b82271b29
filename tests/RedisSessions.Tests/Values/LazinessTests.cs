using RedisSessions.Tests.Support;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>Reading one key decodes that one, and writing one copies the others as bytes.</summary>
public sealed class LazinessTests
{
    private const int Keys = 20, Size = 10_000;

    [Fact]
    public async Task Reading_one_of_twenty_keys_does_not_decode_the_other_nineteen()
    {
        var engine = new Engine();
        var id = await engine.StoredAsync([("n", 7), .. Enumerable.Range(1, Keys - 1).Select(i => ($"k{i}", (object?)new string('x', Size)))]);
        var session = await engine.LoadAsync(id);
        Assert.Equal(7, session.Get<int>("n"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(7, session.Get<int>("n"));
        Assert.True(session.Has("k19"));
        // Nineteen strings of 10,000 characters would be 380,000 bytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
    }

    [Fact]
    public void Checking_a_payload_allocates_nothing()
    {
        var payload = Payload();
        SessionTree.Read(payload);
        var before = GC.GetAllocatedBytesForCurrentThread();
        SessionTree.Read(payload);
        // Where the keys are, and which were touched: nothing that grows with the values, which are 190,000 bytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400);
    }

    [Fact]
    public void Writing_one_key_copies_the_bytes_of_the_others_as_they_are()
    {
        // The longest forms of a short string and of a small number: whoever decodes and encodes them again makes them shorter.
        byte[] untouched = [0xa1, (byte)'u', 0x92, 0xdb, 0, 0, 0, 1, (byte)'x', 0xd3, 0, 0, 0, 0, 0, 0, 0, 5];
        var tree = SessionTree.Read((byte[])[0x82, .. untouched, 0xa1, (byte)'a', 1]);
        tree.Set(SessionPath.Parse("a"), SessionValue.From(2));
        tree.Set(SessionPath.Parse("b.c"), SessionValue.From(3));
        Assert.Equal(1, tree.ToPayload().Span.IndexOf(untouched));
    }

    [Fact]
    public void Writing_costs_one_copy_and_not_one_per_value()
    {
        var payload = Payload();
        Write(payload);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Write(payload);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, payload.Length, payload.Length * 3L / 2);

        static void Write(ReadOnlyMemory<byte> payload)
        {
            var tree = SessionTree.Read(payload);
            tree.Set(SessionPath.Parse("n"), SessionValue.From(8));
            tree.ToPayload();
        }
    }

    private static ReadOnlyMemory<byte> Payload() =>
        Given.Tree([("n", 7), .. Enumerable.Range(1, Keys - 1).Select(i => ($"k{i}", (object?)new string('x', Size)))]).ToPayload();
}
