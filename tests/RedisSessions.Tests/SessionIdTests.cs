namespace RedisSessions.Tests;

public sealed class SessionIdTests
{
    private const string Valid = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";

    [Fact]
    public void An_id_never_prints_itself()
    {
        var id = SessionId.New();
        Assert.DoesNotContain(id.Value, $"{id}", StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_id_parses_and_is_no_other()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => SessionId.New()).ToHashSet();
        Assert.Equal(1000, ids.Count);
        Assert.All(ids, id =>
        {
            Assert.True(SessionId.TryParse(id.Value, out var parsed));
            Assert.Equal(id, parsed);
            Assert.Equal(43, id.Value.Length);
        });
    }

    [Fact]
    public void Every_bit_of_a_new_id_is_random()
    {
        // 256 bits over 2,000 ids: each is one about half of the time. Six standard deviations: once in 10^6 runs.
        var ones = new int[256];
        for (var i = 0; i < 2000; i++)
        {
            var bytes = System.Buffers.Text.Base64Url.DecodeFromChars(SessionId.New().Value);
            for (var bit = 0; bit < 256; bit++)
                ones[bit] += (bytes[bit / 8] >> (bit % 8)) & 1;
        }

        Assert.All(ones, count => Assert.InRange(count, 1000 - 135, 1000 + 135));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAA")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy=")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH+A")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH/A")]
    [InlineData(" QIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy\n")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4P\tBESExQVFhcYGRobHB0eHyA")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyÄ")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyА")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy\0")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0%68")]
    public void What_no_id_can_be_does_not_parse(string? text)
    {
        Assert.False(SessionId.TryParse(text, out var id));
        Assert.Equal(default, id);
    }

    [Fact]
    public void An_id_has_one_spelling_the_last_character_carries_four_bits_only()
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        var accepted = Alphabet.Where(last => SessionId.TryParse(Valid[..42] + last, out _));
        Assert.Equal("AEIMQUYcgkosw048", string.Concat(accepted));
    }

    [Fact]
    public void Exactly_the_alphabet_of_base64url_is_accepted_at_every_place()
    {
        for (var place = 0; place < 42; place++)
        {
            for (var c = '\0'; c < '\u0180'; c++)
            {
                var allowed = char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
                Assert.Equal(allowed, SessionId.TryParse(Valid[..place] + c + Valid[(place + 1)..], out _));
            }
        }
    }

    [Fact]
    public void Ids_are_equal_when_their_characters_are()
    {
        Assert.True(SessionId.TryParse(Valid, out var first));
        Assert.True(SessionId.TryParse(new string(Valid), out var second));
        Assert.True(first == second);
        Assert.True(first.Equals((object)second));
        Assert.Equal(first.GetHashCode(), second.GetHashCode());
        Assert.True(first != SessionId.New());
        Assert.False(first.Equals("text"));
    }

    [Fact]
    public void An_id_is_what_32_bytes_are_encoded_as_and_nothing_else()
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        foreach (var last in alphabet + "+/= .~\u00e4")
            Check(Valid[..42] + last);
        var random = new Random(1);
        for (var i = 0; i < 5_000; i++)
        {
            var text = SessionId.New().Value.ToCharArray();
            text[random.Next(text.Length)] = (char)random.Next(i % 2 == 0 ? 128 : 65_536);
            Check(new string(text));
        }

        static void Check(string text)
        {
            var isEncoded = text.All(c => alphabet.Contains(c, StringComparison.Ordinal));
            if (isEncoded)
            {
                var bytes = new byte[33];
                isEncoded = System.Buffers.Text.Base64Url.DecodeFromChars(text, bytes, out _, out var written) == System.Buffers.OperationStatus.Done
                    && System.Buffers.Text.Base64Url.EncodeToString(bytes.AsSpan(0, written)) == text;
            }

            Assert.Equal(isEncoded, SessionId.TryParse(text, out _));
        }
    }

    [Fact]
    public async Task Commit_ids_of_all_threads_are_different()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 500).Select(_ => CommitId.New()).ToArray())));
        Assert.Equal(4_000, ids.SelectMany(some => some).Distinct().Count());
    }

    [Fact]
    public void What_is_no_id_has_no_value() => Assert.Throws<InvalidOperationException>(() => default(SessionId).Value);
}
