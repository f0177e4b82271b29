using CsCheck;

namespace RedisSessions.Tests;

/// <summary>Versions count, and do not repeat when a store counts the same numbers again.</summary>
public sealed class SessionVersionTests
{
    private static readonly Gen<SessionVersion> Versions = Gen.ULong.Select(SessionVersion.FromValue);
    private static readonly Gen<CommitId> Commits = Gen.ULong.Select(static value => new CommitId(value));

    [Fact]
    public void A_version_is_40_bits_of_count_and_24_bits_of_tag()
    {
        var version = new SessionVersion(0x01_2345_6789, 0xab_cdef);
        Assert.Equal(0x0123_4567_89ab_cdefUL, version.Value);
        Assert.Equal((0x01_2345_6789UL, 0xab_cdefU), (version.Count, version.Tag));
        Assert.Equal(version, SessionVersion.FromValue(version.Value));
        Assert.Equal(SessionVersion.None, new SessionVersion(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SessionVersion(SessionVersion.MaxCount + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SessionVersion(1, SessionVersion.MaxTag + 1));
    }

    [Fact]
    public void The_first_version_has_24_bits_of_its_commits_id() =>
        Assert.Equal(new SessionVersion(1, 0xab_cdef), SessionVersion.None.Next(new CommitId(0x0123_4567_89ab_cdef)));

    [Fact]
    public void The_next_version_counts_one_more_and_is_never_none() => Gen.Select(Versions, Commits).Sample((version, commit) =>
    {
        var next = version.Next(commit);
        Assert.Equal(version.Count == SessionVersion.MaxCount ? 1 : version.Count + 1, next.Count);
        Assert.NotEqual(SessionVersion.None, next);
    });

    [Fact]
    public void The_same_commit_on_the_same_version_makes_the_same_version() =>
        Gen.Select(Versions, Commits).Sample((version, commit) => Assert.Equal(version.Next(commit), version.Next(commit)));

    [Fact]
    public void Another_commit_makes_another_version_of_the_same_count()
    {
        // Ids that differ in their lowest 24 bits; of ids at random one pair in 16 million does not.
        Gen.Select(Versions, Gen.UInt[0, SessionVersion.MaxTag], Gen.UInt[0, SessionVersion.MaxTag]).Where((_, one, other) => one != other)
            .Sample((version, one, other) => Assert.NotEqual(version.Next(new CommitId(one)), version.Next(new CommitId(other))));
    }

    [Fact]
    public void The_same_commit_on_another_version_of_the_same_count_makes_another_version()
    {
        // A roll-back leaves two versions of one count, and one commit may come after both: with a tag of its id alone both would end in the same version.
        var collisions = 0;
        Gen.Select(Gen.ULong[1, SessionVersion.MaxCount - 1], Gen.UInt[0, SessionVersion.MaxTag], Gen.UInt[0, SessionVersion.MaxTag], Commits)
            .Where((_, one, other, _) => one != other)
            .Sample((count, one, other, commit) =>
            {
                if (new SessionVersion(count, one).Next(commit) == new SessionVersion(count, other).Next(commit))
                    Interlocked.Increment(ref collisions);
            }, iter: 10_000);
        Assert.InRange(collisions, 0, 1);
    }

    [Fact]
    public void Two_commits_in_the_other_order_make_another_version()
    {
        var (version, one, other) = (new SessionVersion(7, 0x123456), new CommitId(0xa1b2c3), new CommitId(0x0f1e2d));
        Assert.NotEqual(version.Next(one).Next(other), version.Next(other).Next(one));
    }
}
