namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    /// <summary>What may be under a key that is no record, and a word of the reason that must be given.</summary>
    public static TheoryData<string, string> Unreadable() => new()
    {
        { "nothing but an empty value", "truncated" },
        { "one byte", "truncated" },
        { "a header that lacks its last byte", "truncated" },
        { "a payload that lacks its last byte", "truncated" },
        { "a byte too many", "damaged" },
        { "random bytes", "no session record" },
        { "text", "no session record" },
        { "format version 99", "format version 99" },
        { "payload format 77", "payload format 77" },
        { "state 66", "state 66" },
        { "nine commit ids", "damaged" },
        { "a time out of range", "time out of range" },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task What_is_no_record_is_refused_by_a_read_that_says_why_and_left_in_place(string what, string reason)
    {
        Assert.SkipUnless(Fixture.KeepsBytes, "This store does not keep records as bytes.");
        var handler = await Fixture.CreateHandlerAsync();
        var bytes = Bytes(what);
        await Fixture.PlantAsync(Key, bytes);

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync(handler, Key));

        AssertNames(failure, "read", reason);
        Assert.Equal(bytes, await Fixture.BytesAsync(Key));
    }

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task What_is_no_record_is_refused_by_a_commit_that_says_why_and_left_in_place(string what, string reason)
    {
        Assert.SkipUnless(Fixture.KeepsBytes, "This store does not keep records as bytes.");
        var handler = await Fixture.CreateHandlerAsync();
        var bytes = Bytes(what);
        await Fixture.PlantAsync(Key, bytes);

        AssertNames(await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(handler, Key, 0, Live(1))), "commit", reason);
        AssertNames(await Assert.ThrowsAsync<SessionStoreException>(() => CommitAsync(handler, Key, 999, Live(1000))), "commit", reason);

        Assert.Equal(bytes, await Fixture.BytesAsync(Key));
    }

    [Fact]
    public async Task What_is_no_record_can_be_deleted_and_replaced()
    {
        Assert.SkipUnless(Fixture.KeepsBytes, "This store does not keep records as bytes.");
        var handler = await Fixture.CreateHandlerAsync();
        await Fixture.PlantAsync(Key, Bytes("random bytes"));

        Assert.True(await handler.DeleteAsync(Key, CancellationToken));

        Assert.Null(await Fixture.BytesAsync(Key));
        AssertSame(await CreateAsync(handler), await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task What_is_stored_is_the_record_format_byte_for_byte()
    {
        Assert.SkipUnless(Fixture.KeepsBytes, "This store does not keep records as bytes.");
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler, Live(1, Random(1000)));
        Assert.Equal(RecordFormat.Write(record), await Fixture.BytesAsync(Key));

        await Fixture.PlantAsync(Key, RecordFormat.Write(Live(5, 5)));
        Assert.Equal(5UL, (await ReadAsync(handler, Key))!.Version.Count);
    }

    private void AssertNames(SessionStoreException failure, string verb, string reason)
    {
        Assert.Equal(Fixture.HandlerName, failure.Handler);
        Assert.Equal(verb, failure.Verb);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key.Value, failure.ToString(), StringComparison.Ordinal);
    }

    private byte[] Bytes(string what)
    {
        var record = RecordFormat.Write(Live(3, 1, 2, 3));
        switch (what)
        {
            case "nothing but an empty value":
                return [];
            case "one byte":
                return record[..1];
            case "a header that lacks its last byte":
                return record[..(RecordFormat.HeaderLength - 1)];
            case "a payload that lacks its last byte":
                return record[..^1];
            case "a byte too many":
                return [.. record, 0];
            case "random bytes":
                return Random(333);
            case "text":
                return System.Text.Encoding.UTF8.GetBytes(string.Join(' ', Enumerable.Repeat("{\"user\": 42}", 20)));
            case "format version 99":
                record[2] = 99;
                return record;
            case "payload format 77":
                record[3] = 77;
                return record;
            case "state 66":
                record[4] = 66;
                return record;
            case "nine commit ids":
                record[5] = 9;
                return record;
            case "a time out of range":
                record.AsSpan(24, 8).Fill(0x7F);
                return record;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }
}
