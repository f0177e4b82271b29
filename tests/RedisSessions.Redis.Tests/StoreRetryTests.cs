using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests;

public sealed class StoreRetryTests
{
    [Theory]
    [InlineData("READONLY You can't write against a read only replica.", true)]
    [InlineData("LOADING Redis is loading the dataset in memory", true)]
    [InlineData("CLUSTERDOWN Hash slot not served", true)]
    [InlineData("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true)]
    [InlineData("TRYAGAIN Multiple keys request during rehashing of slot", true)]
    [InlineData("NOREPLICAS Not enough good replicas to write.", true)]
    [InlineData("ERR unknown command 'EVALSHA'", false)]
    [InlineData("NOPERM this user has no permissions to run the 'evalsha' command", false)]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", false)]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", false)]
    [InlineData("ERR the word READONLY further on is no refusal", false)]
    public void An_answer_of_the_server_is_tried_again_when_it_means_not_now(string message, bool again) =>
        Assert.Equal(again, StoreRetry.IsTransient(new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, message)));

    [Theory]
    [InlineData(ConnectionFailureType.SocketClosed, true)]
    [InlineData(ConnectionFailureType.UnableToConnect, true)]
    [InlineData(ConnectionFailureType.InternalFailure, true)]
    [InlineData(ConnectionFailureType.AuthenticationFailure, false)]
    public void A_lost_connection_is_tried_again_and_a_refused_one_is_not(ConnectionFailureType type, bool again) =>
        Assert.Equal(again, StoreRetry.IsTransient(new RedisConnectionException(type, CommandFlags.None, "lost", null, CommandStatus.Unknown)));

    [Fact]
    public void Silence_is_tried_again() => Assert.True(StoreRetry.IsTransient(new RedisTimeoutException(CommandFlags.None, "silent", CommandStatus.Sent)));

    [Fact]
    public void What_does_not_come_from_redis_is_not_tried_again()
    {
        Assert.False(StoreRetry.IsTransient(new FormatException("a damaged record")));
        Assert.False(StoreRetry.IsTransient(new OperationCanceledException()));
        Assert.False(StoreRetry.IsTransient(new InvalidOperationException("a bug")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task There_are_as_many_tries_as_the_setting_says(int tries)
    {
        var made = 0;
        var pipeline = StoreRetry.Create(tries, TimeProvider.System, NullLogger.Instance);
        await Assert.ThrowsAsync<RedisTimeoutException>(async () => await pipeline.ExecuteAsync(
            _ =>
            {
                made++;
                throw new RedisTimeoutException(CommandFlags.None, "silent", CommandStatus.Sent);
            },
            TestContext.Current.CancellationToken));
        Assert.Equal(tries, made);
    }
}
