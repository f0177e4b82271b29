using System.Text;

namespace RedisSessions.Tests;

public sealed class SessionKeyTests
{
    // Computed with Python: base64.urlsafe_b64encode(hashlib.sha256(id.encode()).digest()).rstrip(b"=")
    [Theory]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "658WgAyQKf_KhWlXY9I8Os5xARz0DpNUrNgQIF4lD4c")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "DwBzhbb51LfusnSGBa_hqYSgo7-j8BTQnip4TOnlzRo")]
    [InlineData("__________________________________________8", "Il9-dTKd1FqjVJddc5hzGTCTk686TGczvBNgGk8bh5Y")]
    public void A_key_is_the_hash_of_the_ids_characters(string id, string key)
    {
        Assert.True(SessionId.TryParse(id, out var parsed));
        Assert.Equal(key, SessionKey.From(parsed).Value);
    }

    [Fact]
    public void A_key_prints_itself_it_is_no_secret()
    {
        var key = SessionKey.From(SessionId.New());
        Assert.Equal(key.Value, $"{key}");
        Assert.Equal("(none)", $"{default(SessionKey)}");
        Assert.Throws<InvalidOperationException>(() => default(SessionKey).Value);
    }

    [Fact]
    public void A_key_survives_as_the_payload_of_a_forward()
    {
        var key = SessionKey.From(SessionId.New());
        Assert.Equal(43, key.ToBytes().Length);
        Assert.Equal(key, SessionKey.FromBytes(key.ToBytes()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH/A")]
    [InlineData("AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB")]
    public void What_is_no_key_is_refused(string text) =>
        Assert.Throws<FormatException>(() => SessionKey.FromBytes(Encoding.Latin1.GetBytes(text)));
}
