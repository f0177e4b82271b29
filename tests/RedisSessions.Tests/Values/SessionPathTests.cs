using CsCheck;
using RedisSessions.Values;

namespace RedisSessions.Tests.Values;

/// <summary>Literal keys beside paths.</summary>
public sealed class SessionPathTests
{
    private static readonly Gen<string> Keys = Gen.String[Gen.Char["ab._0"], 0, 6];

    [Theory]
    [InlineData("", true)]
    [InlineData(".", true)]
    [InlineData("a.b", true)]
    [InlineData("a", false)]
    [InlineData("a b", false)]
    public void A_key_is_literal_when_a_path_would_read_it_otherwise(string key, bool isLiteral)
    {
        var path = SessionPath.Literal(key);
        Assert.Equal((key, isLiteral, 1, false), (path.Text, path.IsLiteral, path.Levels, path.HasDots));
    }

    [Fact]
    public void A_key_without_dots_is_the_same_thing_either_way() =>
        Assert.Equal(SessionPath.Parse("name"), SessionPath.Literal("name"));

    [Fact]
    public void A_literal_key_and_the_path_of_its_spelling_are_two_things() =>
        Assert.NotEqual(SessionPath.Parse("a.b"), SessionPath.Literal("a.b"));

    [Fact]
    public void A_literal_key_may_have_more_dots_than_a_path_may_have_levels() =>
        Assert.Equal(1, SessionPath.Literal(new string('.', 500)).Levels);

    [Theory]
    // What is set at the left decides what is read at the right. A literal key wins when the path is read; the path says nothing of the literal key.
    [InlineData("=a.b", "=a.b", true)]
    [InlineData("=a.b", "a.b", true)]
    [InlineData("=a.b", "a.b.c", false)]
    [InlineData("=a.b", "a", false)]
    [InlineData("=a.b", "=a.b.c", false)]
    [InlineData("a.b", "=a.b", false)]
    [InlineData("a", "=a.b", false)]
    [InlineData("a", "a.b", true)]
    [InlineData("=", "=", true)]
    public void A_literal_key_covers_itself_and_the_path_that_it_hides(string mine, string other, bool covers) =>
        Assert.Equal(covers, Path(mine).Covers(Path(other)));

    [Fact]
    public void What_a_path_covers_reads_the_same_whatever_stood_there_before() => Gen.Select(Keys, Keys, Gen.Bool, Gen.Bool).Sample((set, read, setLiteral, readLiteral) =>
    {
        if ((!setLiteral && set.Length == 0) || (!readLiteral && read.Length == 0))
            return;
        var (written, asked) = (Make(set, setLiteral), Make(read, readLiteral));
        if (!written.Covers(asked))
            return;
        var (empty, full) = (SessionTree.Empty(), SessionTree.Empty());
        full.Set(written, SessionValue.From("before"));
        full.Set(asked, SessionValue.From("before"));
        empty.Set(written, SessionValue.From("now"));
        full.Set(written, SessionValue.From("now"));
        Assert.True(empty.SameAt(asked, full));
    }, iter: 20_000);

    private static SessionPath Make(string key, bool literal) => literal ? SessionPath.Literal(key) : SessionPath.Parse(key);

    private static SessionPath Path(string text) => text.StartsWith('=') ? SessionPath.Literal(text[1..]) : SessionPath.Parse(text);
}
