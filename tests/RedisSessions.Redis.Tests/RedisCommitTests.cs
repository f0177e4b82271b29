using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

/// <summary>The bytes of a commit stand in a buffer that is lent: whoever gets it next must not write into what is still to be sent.</summary>
public sealed class RedisCommitTests
{
    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_sent_again_after_an_answer_is_the_same_record()
    {
        var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH");
        await using var server = redis!;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.Configuration);
        var database = connection.GetDatabase();
        var record = Instance.Record(1);
        var commit = new RedisCommit("session:key", SessionVersion.None, record, TimeSpan.FromMinutes(1), told: null);
        var attempt = new RedisTry(database, mayBeApplied: false, CancellationToken, withText: true);

        Assert.IsType<CommitResult.Committed>(commit.Read(attempt, await commit.RunAsync(attempt)));
        // As when a replica could not be asked afterwards, and in the meantime others have been lent what this one has given back.
        await database.KeyDeleteAsync("session:key");
        var lent = Enumerable.Range(0, 64).Select(_ => System.Buffers.ArrayPool<byte>.Shared.Rent(RecordFormat.HeaderLength + 9)).ToList();
        lent.ForEach(static buffer => Array.Fill(buffer, (byte)0xff));
        Assert.IsType<CommitResult.Committed>(commit.Read(attempt, await commit.RunAsync(attempt)));
        Assert.Equal(RecordFormat.Write(record), (byte[]?)await database.StringGetAsync("session:key"));
    }

    [Fact]
    public async Task A_try_whose_answer_was_lost_keeps_the_buffer_from_others()
    {
        var redis = await RedisProcess.TryStartAsync([], CancellationToken);
        Assert.SkipWhen(redis is null, "no redis-server on the PATH");
        await using var server = redis!;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.Configuration);
        var database = connection.GetDatabase();
        var commit = new RedisCommit("session:key", SessionVersion.None, Instance.Record(1), TimeSpan.FromMinutes(1), told: null);
        var attempt = new RedisTry(database, mayBeApplied: false, CancellationToken, withText: true);
        await commit.RunAsync(attempt);
        Assert.True(commit.HasBuffer);
        var again = new RedisTry(database, mayBeApplied: true, CancellationToken, withText: true);
        Assert.IsType<CommitResult.Conflict>(commit.Read(again, await commit.RunAsync(again)));
        Assert.True(commit.HasBuffer);
    }

    [Fact]
    public void The_script_compares_where_a_record_has_its_version()
    {
        var (first, last) = (RecordFormat.VersionOffset, RecordFormat.VersionOffset + RecordFormat.VersionLength - 1);
        Assert.Contains($"call('GETRANGE', key, '{first}', '{last}')", RedisScripts.Commit.Text, StringComparison.Ordinal);
    }
}
