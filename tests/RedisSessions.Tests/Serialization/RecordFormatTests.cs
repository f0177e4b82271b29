using System.Buffers.Binary;
using System.Collections.Immutable;
using CsCheck;

namespace RedisSessions.Tests.Serialization;

public sealed class RecordFormatTests
{
    private static readonly Gen<DateTimeOffset> Time =
        Gen.Long[-62_135_596_800_000, 253_402_300_799_999].Select(DateTimeOffset.FromUnixTimeMilliseconds);

    private static readonly TimeSpan[] Units = [TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];

    private static readonly Gen<TimeSpan?> Idle =
        Gen.Select(Gen.Int[-1, 3], Gen.Int[1, 16383], (unit, count) => unit < 0 ? (TimeSpan?)null : RecordFormat.Representable(Units[unit] * count));

    private static readonly Gen<SessionRecord> Records = Gen.Select(
        Gen.ULong[1UL << 24, ulong.MaxValue], Gen.Int[0, 3], Time, Time, Gen.ULong.Array[0, 8], Gen.Int[0, 2],
        Gen.Select(Gen.Byte.Array[0, 50], Gen.Byte.Array[0, 200]), Idle,
        (version, state, created, deadline, ids, format, parts, idle) => new SessionRecord
        {
            Version = SessionVersion.FromValue(version),
            State = (SessionState)state,
            CreatedAt = created,
            AbsoluteDeadline = deadline,
            CommitIds = [.. ids.Select(id => new CommitId(id))],
            PayloadFormat = (PayloadFormat)format,
            Notes = parts.Item1,
            Payload = parts.Item2,
            IdleTimeout = idle,
        });

    [Fact]
    public void A_buffer_of_somebody_elses_gets_the_same_bytes_whatever_was_in_it() => Records.Sample(record =>
    {
        var buffer = new UsedBuffer();
        RecordFormat.Write(record, buffer);
        Assert.Equal(RecordFormat.Write(record), buffer.Written.ToArray());
    }, iter: 1_000);

    private sealed class UsedBuffer : System.Buffers.IBufferWriter<byte>
    {
        private readonly byte[] _bytes = [.. Enumerable.Repeat((byte)0xff, 4_096)];
        private int _written;

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _written);

        public void Advance(int count) => _written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.AsMemory(_written);

        public Span<byte> GetSpan(int sizeHint = 0) => _bytes.AsSpan(_written);
    }

    [Fact]
    public void What_is_written_is_what_is_read() => Records.Sample(record =>
    {
        var bytes = RecordFormat.Write(record);
        var read = RecordFormat.Read(bytes);
        Assert.Equal(record.Version, read.Version);
        Assert.Equal(record.State, read.State);
        Assert.Equal(record.CreatedAt, read.CreatedAt);
        Assert.Equal(record.AbsoluteDeadline, read.AbsoluteDeadline);
        Assert.Equal(record.CommitIds.AsEnumerable(), read.CommitIds);
        Assert.Equal(record.IdleTimeout, read.IdleTimeout);
        Assert.Equal(record.PayloadFormat, read.PayloadFormat);
        Assert.Equal(record.Notes.ToArray(), read.Notes.ToArray());
        Assert.Equal(record.Payload.ToArray(), read.Payload.ToArray());
        Assert.Equal(bytes, RecordFormat.Write(read));
    });

    [Fact]
    public void A_record_that_is_cut_off_anywhere_or_too_long_is_refused()
    {
        var bytes = Bytes();
        for (var length = 0; length < bytes.Length; length++)
        {
            var error = Assert.Throws<FormatException>(() => RecordFormat.Read(bytes.AsMemory(0, length)));
            Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<FormatException>(() => RecordFormat.Read((byte[])[.. bytes, 0]));
    }

    [Theory]
    [InlineData(0, 0x53, "does not begin with the record mark")]
    [InlineData(1, 0x52, "does not begin with the record mark")]
    [InlineData(2, 0, "format version 0")]
    [InlineData(2, 1, "format version 1")]
    [InlineData(2, 3, "format version 3")]
    [InlineData(3, 3, "payload format 3")]
    [InlineData(4, 4, "state 4")]
    [InlineData(5, 9, "damaged")]
    [InlineData(6, 0x40, "no such idle timeout")]
    [InlineData(6, 0x80, "no such idle timeout")]
    [InlineData(6, 0xc0, "no such idle timeout")]
    [InlineData(12, 0, "version 0")]
    [InlineData(16, 0x7f, "time out of range")]
    [InlineData(16, 0x80, "time out of range")]
    [InlineData(24, 0x7f, "time out of range")]
    [InlineData(32, 0x80, "truncated or damaged")]
    [InlineData(35, 0, "truncated or damaged")]
    [InlineData(36, 0x80, "truncated or damaged")]
    [InlineData(36, 0x7f, "truncated or damaged")]
    [InlineData(39, 9, "truncated or damaged")]
    public void Every_byte_of_the_header_that_is_wrong_is_refused_with_the_reason(int at, byte value, string reason)
    {
        var bytes = Bytes();
        bytes[at] = value;
        var error = Assert.Throws<FormatException>(() => RecordFormat.Read(bytes));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0x0000, 0)]
    [InlineData(0x0001, 1)]
    [InlineData(0x3fff, 16_383)]
    [InlineData(0x4112, 16_440)]          // the first minute beyond: 274
    [InlineData(0x7fff, 982_980)]
    [InlineData(0x8112, 986_400)]         // the first hour beyond: 274
    [InlineData(0xbfff, 58_978_800)]
    [InlineData(0xc2ab, 59_011_200)]      // the first day beyond: 683
    [InlineData(0xffff, 1_415_491_200)]
    [InlineData(0x4001, null)]
    [InlineData(0x4111, null)]
    [InlineData(0x8001, null)]
    [InlineData(0x8111, null)]
    [InlineData(0xc001, null)]
    [InlineData(0xc2aa, null)]
    public void An_idle_timeout_has_one_spelling(int code, int? seconds)
    {
        var bytes = Bytes();
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(6), (ushort)code);
        if (seconds is not { } expected)
        {
            Assert.Contains("no such idle timeout", Assert.Throws<FormatException>(() => RecordFormat.Read(bytes)).Message, StringComparison.Ordinal);
            return;
        }

        var record = RecordFormat.Read(bytes);
        Assert.Equal(expected == 0 ? null : TimeSpan.FromSeconds(expected), record.IdleTimeout);
        Assert.Equal(bytes, RecordFormat.Write(record));
    }

    [Theory]
    [InlineData(-62_135_596_800_000, true)]
    [InlineData(-62_135_596_800_001, false)]
    [InlineData(253_402_300_799_999, true)]
    [InlineData(253_402_300_800_000, false)]
    public void A_time_is_from_the_year_1_to_9999(long milliseconds, bool allowed)
    {
        var bytes = Bytes();
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(24), milliseconds);
        if (allowed)
            Assert.Equal(milliseconds, RecordFormat.Read(bytes).AbsoluteDeadline.ToUnixTimeMilliseconds());
        else
            Assert.Throws<FormatException>(() => RecordFormat.Read(bytes));
    }

    [Fact]
    public void The_version_stands_where_a_store_compares_it()
    {
        var bytes = Bytes();
        Span<byte> version = stackalloc byte[RecordFormat.VersionLength];
        RecordFormat.WriteVersion(new SessionVersion(7), version);
        Assert.True(version.SequenceEqual(bytes.AsSpan(RecordFormat.VersionOffset, RecordFormat.VersionLength)));
    }

    [Fact]
    public void A_record_lives_the_idle_time_and_never_past_its_absolute_deadline()
    {
        var record = RecordFormat.Read(Bytes());
        var deadline = record.AbsoluteDeadline;
        var idle = TimeSpan.FromMinutes(20);
        Assert.Equal(idle, record.Lifetime(deadline.AddHours(-1), idle));
        Assert.Equal(TimeSpan.FromMinutes(5), record.Lifetime(deadline.AddMinutes(-5), idle));
        Assert.Equal(TimeSpan.FromMilliseconds(1), record.Lifetime(deadline, idle));
        Assert.Equal(TimeSpan.FromMilliseconds(1), record.Lifetime(deadline.AddDays(1), idle));
    }

    [Fact]
    public void An_idle_timeout_of_its_own_goes_before_the_one_that_is_given_and_never_past_the_absolute_deadline()
    {
        var deadline = DateTimeOffset.UnixEpoch.AddDays(1);
        foreach (var own in new[] { TimeSpan.FromMinutes(1), TimeSpan.FromHours(1) })
        {
            var record = new SessionRecord { Version = new SessionVersion(1), CreatedAt = default, AbsoluteDeadline = deadline, IdleTimeout = own };
            Assert.Equal(own, record.Lifetime(deadline.AddHours(-2), TimeSpan.FromMinutes(20)));
            Assert.Equal(TimeSpan.FromSeconds(30), record.Lifetime(deadline.AddSeconds(-30), TimeSpan.FromSeconds(1)));
        }
    }

    [Theory]
    [InlineData(10, 3, 10, true)]
    [InlineData(10, 3, 7, true)]
    [InlineData(10, 3, 6, false)]
    [InlineData(10, 0, 9, false)]
    [InlineData(10, 0, 11, true)]
    public void A_record_remembers_as_many_commits_as_it_has_ids(ulong version, int ids, ulong expected, bool remembers) =>
        Assert.Equal(remembers, new SessionRecord
        {
            Version = new SessionVersion(version),
            CreatedAt = default,
            AbsoluteDeadline = default,
            CommitIds = [.. Enumerable.Range(1, ids).Select(id => new CommitId((ulong)id))],
        }.RemembersCommitsSince(new SessionVersion(expected)));

    private static byte[] Bytes() => RecordFormat.Write(new SessionRecord
    {
        Version = new SessionVersion(7),
        CreatedAt = DateTimeOffset.UnixEpoch,
        AbsoluteDeadline = DateTimeOffset.UnixEpoch.AddDays(1),
        CommitIds = ImmutableArray.Create(new CommitId(1), new CommitId(2)),
        PayloadFormat = PayloadFormat.MessagePack,
        Notes = new byte[] { 0x81, 0xa1, (byte)'u', 0xa0 },
        Payload = new byte[] { 0x81, 0xa1, (byte)'a', 1 },
    });
}
