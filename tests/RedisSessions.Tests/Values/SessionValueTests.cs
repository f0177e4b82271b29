using System.Globalization;
using CsCheck;
using MessagePack;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>The kinds of value, and what .NET makes of them.</summary>
public sealed class SessionValueTests
{
    public enum Colour { Red, Green = 7 }

    public sealed class Item
    {
        public string Name { get; set; } = "";

        public int Qty { get; set; }

        public Item? Inner { get; set; }
    }

    [Fact]
    public void Every_supported_type_comes_back_as_it_went_in()
    {
        RoundTrip(true);
        RoundTrip(false);
        foreach (var number in new[] { 0, 1, -1, 127, 128, -32, -33, 255, 256, 65_535, 65_536, int.MinValue, int.MaxValue })
            RoundTrip(number);
        foreach (var number in new[] { long.MinValue, -1L, 0L, uint.MaxValue, uint.MaxValue + 1L, long.MaxValue })
            RoundTrip(number);
        RoundTrip(ulong.MaxValue);
        RoundTrip(byte.MaxValue);
        RoundTrip(short.MinValue);
        foreach (var number in new[] { 0.0, -0.0, 1.5, double.MaxValue, double.Epsilon, double.NaN, double.NegativeInfinity })
            RoundTrip(number);
        RoundTrip(1.5f);
        foreach (var text in new[] { "", "a", new string('x', 31), new string('x', 32), new string('x', 256), new string('x', 70_000), "ä€😀\0" })
            RoundTrip(text);
        foreach (var size in new[] { 0, 1, 255, 256, 70_000 })
            RoundTrip(Enumerable.Range(0, size).Select(i => (byte)i).ToArray());
        RoundTrip(new DateTimeOffset(2026, 7, 8, 9, 10, 11, 123, TimeSpan.Zero).AddTicks(4567));
        RoundTrip(DateTimeOffset.MinValue);
        RoundTrip(DateTimeOffset.MaxValue);
        RoundTrip(new DateTime(2026, 7, 8, 9, 10, 11, DateTimeKind.Utc));
        RoundTrip(Guid.Parse("01234567-89ab-cdef-0123-456789abcdef"));
        RoundTrip(123.4500m);
        RoundTrip(decimal.MinValue);
        RoundTrip(TimeSpan.FromTicks(-12345));
        RoundTrip(Colour.Green);
        RoundTrip('x');
        RoundTrip(new List<int> { 1, 2, 3 });
        RoundTrip(new[] { "a", "b" });
        RoundTrip(new Dictionary<string, int> { ["a"] = 1 });
        RoundTrip<int?>(5);
        RoundTrip<int?>(null);
        RoundTrip<string?>(null);
        RoundTrip<DateTimeOffset?>(DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public void A_date_with_an_offset_keeps_both()
    {
        Gen.Select(Gen.Long[DateTime.MinValue.Ticks + TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay], Gen.Int[-840, 840]).Sample((ticks, minutes) =>
        {
            var date = new DateTimeOffset(ticks, TimeSpan.FromMinutes(minutes));
            Assert.True(date.EqualsExact(SessionValue.From(date).To<DateTimeOffset>()));
            Assert.True(date.EqualsExact((DateTimeOffset)SessionValue.From(date).ToObject()!));
            Assert.True(date.EqualsExact(SessionValue.From<DateTimeOffset?>(date).To<DateTimeOffset?>()!.Value));
            Assert.Equal(date.UtcDateTime, SessionValue.From(date).To<DateTime>());
        });
    }

    [Fact]
    public void A_date_keeps_its_kind_and_its_clock() =>
        Gen.Select(Gen.Long[TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay], Gen.Int[0, 2]).Sample((ticks, kind) =>
        {
            var date = new DateTime(ticks, (DateTimeKind)kind);
            foreach (var back in new[] { SessionValue.From(date).To<DateTime>(), (DateTime)SessionValue.From(date).ToObject()!, SessionValue.From<DateTime?>(date).To<DateTime?>()!.Value })
            {
                Assert.Equal(date, back);
                Assert.Equal(date.Kind, back.Kind);
            }
        });

    [Fact]
    public void A_local_date_of_another_zone_is_the_same_instant_here()
    {
        // Ten minutes and a bit: the offset of no zone that a machine is in.
        var elsewhere = new byte[18];
        Convert.FromHexString("d80408de000000000000000a020000000000").CopyTo(elsewhere, 0);
        var date = new SessionValue(elsewhere).To<DateTime>();
        Assert.Equal(DateTimeKind.Local, date.Kind);
        Assert.Equal(new DateTimeOffset(0x08de000000000000, TimeSpan.FromMinutes(10)).UtcDateTime, date.ToUniversalTime());
    }

    [Fact]
    public void A_date_without_a_zone_is_no_instant()
    {
        var date = SessionValue.From(new DateTime(2026, 7, 8, 18, 0, 0, DateTimeKind.Unspecified));
        Assert.Throws<MessagePackSerializationException>(() => date.To<DateTimeOffset>());
        Assert.Throws<MessagePackSerializationException>(() => SessionValue.From("x").To<DateTime>());
        Assert.Throws<MessagePackSerializationException>(() => SessionValue.From(1.5m).To<DateTime>());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1.10")]
    [InlineData("-0.0000000000000000000000000001")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("-79228162514264337593543950335")]
    [InlineData("7.9228162514264337593543950335")]
    public void A_decimal_keeps_its_digits(string digits)
    {
        var value = decimal.Parse(digits, CultureInfo.InvariantCulture);
        foreach (var back in new[] { SessionValue.From(value).To<decimal>(), (decimal)SessionValue.From(value).ToObject()!, SessionValue.From<decimal?>(value).To<decimal?>()!.Value })
            Assert.Equal(digits, back.ToString(CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Every_decimal_is_written_as_a_reader_takes_it() => Gen.Decimal.Sample(value =>
    {
        var stored = SessionValue.From(value);
        Packed.Validate(stored.Bytes.Span);
        Assert.Equal(value.ToString(CultureInfo.InvariantCulture), stored.To<decimal>().ToString(CultureInfo.InvariantCulture));
    });

    [Fact]
    public void Integers_and_the_text_that_decimals_were_are_read_as_decimals()
    {
        Assert.Equal(5m, SessionValue.From(5).To<decimal>());
        Assert.Equal((decimal)ulong.MaxValue, SessionValue.From(ulong.MaxValue).To<decimal>());
        Assert.Equal(1.5m, SessionValue.From("1.5").To<decimal>());
        Assert.Throws<MessagePackSerializationException>(() => SessionValue.From(DateTime.Now).To<decimal>());
    }

    [Fact]
    public void Plain_objects_are_what_reading_without_a_type_gives()
    {
        Assert.Null(Plain<string?>(null));
        Assert.Equal(true, Plain(true));
        Assert.Equal(5L, Plain((byte)5));
        Assert.Equal(-5L, Plain(-5));
        Assert.Equal(long.MaxValue, Plain((ulong)long.MaxValue));
        Assert.Equal(ulong.MaxValue, Plain(ulong.MaxValue));
        Assert.Equal(1.5, Plain(1.5f));
        Assert.Equal("x", Plain("x"));
        Assert.Equal(new byte[] { 1, 2 }, Plain(new byte[] { 1, 2 }));
        Assert.Equal(DateTimeOffset.UnixEpoch, Plain(DateTimeOffset.UnixEpoch));
        Assert.Equal(new object?[] { 1L, "a", null }, Plain(new object?[] { 1, "a", null }));
        var map = Assert.IsType<System.Collections.ObjectModel.ReadOnlyDictionary<string, object?>>(Plain(new Item { Name = "x", Qty = 2 }));
        Assert.Equal(("x", 2L, (object?)null), (map["Name"], map["Qty"], map["Inner"]));
    }

    [Fact]
    public void What_reading_without_a_type_gives_cannot_be_changed()
    {
        Assert.Throws<NotSupportedException>(() => ((IList<object?>)Plain(new[] { 1 })!)[0] = 2);
        Assert.Throws<NotSupportedException>(() => ((IDictionary<string, object?>)Plain(new Item())!)["Name"] = 2);
    }

    [Fact]
    public void An_object_is_stored_as_what_it_is_and_not_as_what_it_was_declared()
    {
        object item = new Item { Name = "x", Qty = 3, Inner = new Item { Name = "y" } };
        var value = SessionValue.From(item);
        Assert.Equal(SessionValueKind.Map, value.Kind);
        Assert.Equal(3, value.To<Item>()!.Qty);
        Assert.Equal("y", value.To<Item>()!.Inner!.Name);
    }

    [Fact]
    public void No_type_name_is_stored()
    {
        object[] values = [new Item { Name = "x" }, new List<object> { new Item() }, Colour.Green, new { Anonymous = new Item() }];
        foreach (var value in values)
        {
            var text = System.Text.Encoding.Latin1.GetString(SessionValue.From(value).Bytes.Span);
            foreach (var name in new[] { "Item", "RedisSessions", "System", "Colour", "Green" })
                Assert.DoesNotContain(name, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_type_is_neither_stored_nor_loaded_by_its_name()
    {
        Assert.Throws<ArgumentException>(() => SessionValue.From(typeof(string)));
        Assert.Throws<ArgumentException>(() => SessionValue.From<Type>(typeof(string)));
        Assert.Throws<ArgumentException>(() => SessionValue.From(new { Member = typeof(string) }));
        Assert.Throws<MessagePackSerializationException>(() => SessionValue.From("System.String").To<Type>());
    }

    [Fact]
    public void A_value_is_a_copy()
    {
        var list = new List<int> { 1 };
        var value = SessionValue.From(list);
        list.Add(2);
        Assert.Equal([1], value.To<List<int>>()!);
        value.To<List<int>>()!.Add(3);
        Assert.Equal([1], value.To<List<int>>()!);
    }

    [Fact]
    public void What_has_no_form_as_a_value_is_an_argument_error_that_names_the_type()
    {
        foreach (var bad in new object[] { new Func<int>(() => 1), new Hidden(), Nested(70), typeof(string) })
        {
            var error = Assert.Throws<ArgumentException>(() => SessionValue.From(bad));
            Assert.Contains(bad.GetType().Name, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Reading_as_another_type_fails_without_quoting_the_value() =>
        Assert.Throws<MessagePackSerializationException>(() => SessionValue.From("secret").To<int>());

    [Fact]
    public void The_values_that_need_no_serializer_are_written_as_it_would_write_them()
    {
        foreach (var bits in Enumerable.Range(0, 64))
        {
            foreach (var near in Enumerable.Range(-2, 5))
            {
                var number = (1L << bits) + near;
                Same(number);
                Same(-number);
                Same((int)number);
                Same((object)number);
                Same((int?)(int)number);
            }
        }

        foreach (var length in new[] { 0, 1, 31, 32, 255, 256, 65_535, 65_536 })
        {
            Same(new string('x', length));
            Same((object)new string('\u00e4', length));
        }

        Same("\ud800 is half a character");
        Same(true);
        Same((object)false);

        // As what it is, also when it comes as an object.
        static void Same<T>(T value) => Assert.Equal(MessagePackSerializer.Serialize(value!.GetType(), value), SessionValue.From(value).Bytes.ToArray());
    }

    [Fact]
    public void The_values_that_need_no_serializer_are_read_as_it_would_read_them()
    {
        foreach (var hex in new[] { "00", "7f", "e0", "ff", "cc80", "cd0100", "ce00010000", "ceffffffff", "cf7fffffffffffffff", "cf8000000000000000", "d0ff", "d1ff00", "d280000000", "d38000000000000000", "cb3ff0000000000000", "c2", "c3", "a0", "a161", "d90161", "a1ff", "c0", "90", "80" })
        {
            var value = new SessionValue(Convert.FromHexString(hex));
            Same<long>(value);
            Same<int>(value);
            Same<bool>(value);
            if (hex != "c0")
                Same<string>(value);
        }

        static void Same<T>(SessionValue value) => Assert.Equal(Read(() => MessagePackSerializer.Deserialize<T>(value.Bytes)), Read(() => value.To<T>()));

        static object? Read<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (MessagePackSerializationException e)
            {
                return e.GetType();
            }
        }
    }

    [Fact]
    public void Values_are_the_same_when_their_bytes_are()
    {
        Assert.True(SessionValue.From(5).SameAs(SessionValue.From(5L)));
        Assert.False(SessionValue.From(5).SameAs(SessionValue.From(5.0)));
        Assert.False(SessionValue.From("5").SameAs(SessionValue.From(5)));
        Assert.True(SessionValue.Null.SameAs(SessionValue.From<string?>(null)));
    }

    private static object? Plain<T>(T value) => SessionValue.From(value).ToObject();

    private static void RoundTrip<T>(T value)
    {
        var packed = SessionValue.From(value);
        Packed.Validate(packed.Bytes.Span);
        Assert.Equal(value, packed.To<T>());
    }

    private static object Nested(int levels)
    {
        object value = 1;
        for (var i = 0; i < levels; i++)
            value = new List<object> { value };
        return value;
    }

    private sealed class Hidden
    {
        public int Number { get; set; } = 5;
    }
}
