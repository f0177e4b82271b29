namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    [Fact]
    public async Task An_unknown_key_reads_as_nothing()
    {
        var handler = await Fixture.CreateHandlerAsync();
        Assert.Null(await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_stored_record_reads_back_field_by_field()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler);
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task Reading_changes_nothing_that_is_read()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler);
        for (var i = 0; i < 5; i++)
            AssertSame(record, await ReadAsync(handler, Key));
        AssertCommitted(await CommitAsync(handler, Key, 1, Live(2)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(70_000)]
    public async Task Notes_survive_byte_for_byte_beside_the_payload(int length)
    {
        Assert.SkipUnless(Fixture.KeepsNotes, "This store has no place for notes.");
        var handler = await Fixture.CreateHandlerAsync();
        var record = With(Live(1, Random(50)), notes: Random(length));
        await CreateAsync(handler, record);
        AssertSame(record, await ReadAsync(handler, Key));
        var next = With(Live(2, Random(20)), notes: Random(length + 1));
        AssertCommitted(await CommitAsync(handler, Key, 1, next));
        AssertConflict(next, await CommitAsync(handler, Key, 1, Live(2)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(SessionRecord.MaxCommitIds)]
    public async Task The_commit_ids_survive_in_their_order(int count)
    {
        var handler = await Fixture.CreateHandlerAsync();
        var template = Live(1);
        var record = new SessionRecord
        {
            Version = template.Version,
            CreatedAt = template.CreatedAt,
            AbsoluteDeadline = template.AbsoluteDeadline,
            CommitIds = [.. Enumerable.Range(0, count).Select(_ => CommitId.New())],
            PayloadFormat = PayloadFormat.MessagePack,
            Payload = new byte[] { 0x80 },
        };

        await CreateAsync(handler, record);

        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00.000Z")]
    [InlineData("1969-12-31T23:59:59.999Z")]
    [InlineData("2024-02-29T12:00:00.001Z")]
    public async Task The_time_of_creation_survives_to_the_millisecond(string time)
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = With(Live(1), createdAt: DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture));
        await CreateAsync(handler, record);
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Theory]
    [InlineData("2199-01-01T00:00:00.000Z")]
    [InlineData("9999-12-31T23:59:59.999Z")]
    public async Task An_absolute_deadline_far_away_survives(string time)
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = With(Live(1), deadline: DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture));
        await CreateAsync(handler, record);
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("one zero")]
    [InlineData("line ends")]
    [InlineData("all 256 values")]
    [InlineData("another record")]
    [InlineData("text that is no text")]
    [InlineData("1 MiB")]
    [InlineData("largest")]
    public async Task Payload_bytes_come_back_untouched(string kind)
    {
        var payload = kind switch
        {
            "empty" => [],
            "one zero" => [0],
            "line ends" => "\r\n$-1\r\n\n\n"u8.ToArray(),
            "all 256 values" => [.. Enumerable.Range(0, 256).Select(value => (byte)value)],
            "another record" => RecordFormat.Write(Live(7, 1, 2, 3)),
            "text that is no text" => [0xC0, 0x80, 0xED, 0xA0, 0x80, 0xFF, 0xFE, 0x27, 0x22, 0x5C, 0x00],
            "1 MiB" => Random(1024 * 1024),
            _ => Random(Fixture.LargestPayload),
        };
        var handler = await Fixture.CreateHandlerAsync();
        var created = await CreateAsync(handler, Live(1, payload));
        AssertSame(created, await ReadAsync(handler, Key));

        var replaced = Live(2, payload);
        AssertCommitted(await CommitAsync(handler, Key, 1, replaced));
        AssertSame(replaced, await ReadAsync(handler, Key));
        AssertConflict(replaced, await CommitAsync(handler, Key, 1, Live(2)));
    }

    [Fact]
    public async Task Two_handlers_over_one_store_agree()
    {
        var (one, other) = (await Fixture.CreateHandlerAsync(), await Fixture.CreateHandlerAsync());
        Assert.NotSame(one, other);

        var record = await CreateAsync(one);
        AssertSame(record, await ReadAsync(other, Key));
        var newer = Live(2, 2);
        AssertCommitted(await CommitAsync(other, Key, 1, newer));
        AssertSame(newer, await ReadAsync(one, Key));
        AssertConflict(newer, await CommitAsync(one, Key, 1, Live(2, 3)));
        Assert.True(await one.DeleteAsync(Key, CancellationToken));
        Assert.Null(await ReadAsync(other, Key));
    }

    [Fact]
    public async Task Keys_are_independent_of_each_other()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var keys = Enumerable.Range(0, 20).Select(_ => NewKey()).ToArray();
        var records = keys.Select((_, i) => Live(1, (byte)i)).ToArray();
        for (var i = 0; i < keys.Length; i++)
            AssertCommitted(await CommitAsync(handler, keys[i], 0, records[i]));

        Assert.True(await handler.DeleteAsync(keys[3], CancellationToken));
        AssertCommitted(await CommitAsync(handler, keys[4], 1, records[4] = Live(2, 99)));

        for (var i = 0; i < keys.Length; i++)
        {
            if (i == 3)
                Assert.Null(await ReadAsync(handler, keys[i]));
            else
                AssertSame(records[i], await ReadAsync(handler, keys[i]));
        }
    }

    private static SessionRecord With(
        SessionRecord record, DateTimeOffset? createdAt = null, DateTimeOffset? deadline = null, SessionState? state = null, TimeSpan? idle = null,
        string? user = null, bool index = false, byte[]? notes = null) => new()
    {
        Version = record.Version,
        State = state ?? record.State,
        CreatedAt = createdAt ?? record.CreatedAt,
        AbsoluteDeadline = deadline ?? record.AbsoluteDeadline,
        CommitIds = record.CommitIds,
        PayloadFormat = record.PayloadFormat,
        Notes = notes ?? record.Notes,
        Payload = record.Payload,
        IdleTimeout = idle ?? record.IdleTimeout,
        UserId = user,
        IndexUser = index,
    };

    private static byte[] Random(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
