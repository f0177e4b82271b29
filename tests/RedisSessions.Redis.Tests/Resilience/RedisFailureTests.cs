using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Resilience;

/// <summary>The table of what can go wrong, row by row.</summary>
public sealed class RedisFailureTests
{
    [Theory]
    [InlineData("READONLY You can't write against a read only replica.", "readonly", true)]
    [InlineData("READONLY You can't write against a read only replica. script: 5ca1, on @user_script:26.", "readonly", true)]
    [InlineData("LOADING Redis is loading the dataset in memory", "loading", true)]
    [InlineData("CLUSTERDOWN Hash slot not served", "cluster_down", true)]
    [InlineData("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "master_down", true)]
    [InlineData("TRYAGAIN Multiple keys request during rehashing of slot", "try_again", true)]
    [InlineData("NOREPLICAS Not enough good replicas to write.", "no_replicas", true)]
    [InlineData("MOVED 3999 127.0.0.1:6381", "moved", true)]
    [InlineData("ASK 3999 127.0.0.1:6381", "moved", true)]
    [InlineData("BUSY Redis is busy running a script.", "busy", true)]
    [InlineData("NOSCRIPT No matching script. Please use EVAL.", "no_script", true)]
    [InlineData("ERR max number of clients reached", "max_clients", true)]
    [InlineData("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist on disk.", "misconf", false)]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", "oom", false)]
    [InlineData("NOAUTH Authentication required.", "auth", false)]
    [InlineData("WRONGPASS invalid username-password pair or user is disabled.", "auth", false)]
    [InlineData("ERR operation not permitted", "auth", false)]
    [InlineData("NOPERM this user has no permissions to run the 'evalsha' command", "no_permission", false)]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", "wrong_type", false)]
    [InlineData("CROSSSLOT Keys in request don't hash to the same slot", "cross_slot", false)]
    [InlineData("ERR unknown command 'GETEX', with args beginning with: 'session:key'", "unknown_command", false)]
    [InlineData("ERR value is not an integer or out of range", "other", false)]
    [InlineData("ERR the word READONLY further on is no refusal", "other", false)]
    // As Garnet says it, and Redis before 7.
    [InlineData("ERR READONLY You can't write against a read only replica.", "readonly", true)]
    [InlineData("ERR Lua encountered an error: WRONGTYPE Operation against a key holding the wrong kind of value", "wrong_type", false)]
    [InlineData("ERR Error running script (call to f_5ca1): @user_script:26: @user_script: 26: -READONLY You can't write against a read only replica.", "readonly", true)]
    [InlineData("ERR Error running script (call to f_5ca1): @user_script:26: WRONGTYPE Operation against a key", "wrong_type", false)]
    [InlineData("", "other", false)]
    public void An_answer_of_the_server_is_known_by_its_first_word(string message, string reason, bool again)
    {
        var failure = RedisFailure.Of(new RedisServerException(RedisErrorKind.Unknown, CommandFlags.None, message))!;
        Assert.Equal((reason, again), (failure.Reason, failure.Again));
        // What the server refused it has not run; what is not understood may be anything.
        Assert.Equal(reason == "other", failure.MayBeApplied);
    }

    [Theory]
    [InlineData(ConnectionFailureType.SocketClosed, CommandStatus.Sent, "connection_lost", true)]
    [InlineData(ConnectionFailureType.SocketFailure, CommandStatus.Unknown, "connection_lost", true)]
    [InlineData(ConnectionFailureType.InternalFailure, CommandStatus.Sent, "connection_lost", true)]
    [InlineData(ConnectionFailureType.SocketClosed, CommandStatus.WaitingToBeSent, "no_connection", false)]
    [InlineData(ConnectionFailureType.ConnectionDisposed, CommandStatus.WaitingInBacklog, "no_connection", false)]
    [InlineData(ConnectionFailureType.UnableToConnect, CommandStatus.Unknown, "no_connection", false)]
    [InlineData(ConnectionFailureType.UnableToResolvePhysicalConnection, CommandStatus.Unknown, "no_connection", false)]
    public void A_connection_that_is_lost_may_have_carried_the_command_and_one_that_is_not_there_has_not(
        ConnectionFailureType type, CommandStatus status, string reason, bool mayBeApplied)
    {
        var failure = RedisFailure.Of(new RedisConnectionException(type, CommandFlags.None, "lost", null, status))!;
        Assert.Equal((reason, mayBeApplied), (failure.Reason, failure.MayBeApplied));
        Assert.True(failure is { Again: true, Down: true });
    }

    [Theory]
    [InlineData(CommandStatus.Sent, "timeout", true)]
    [InlineData(CommandStatus.Unknown, "timeout", true)]
    [InlineData(CommandStatus.WaitingToBeSent, "no_connection", false)]
    [InlineData(CommandStatus.WaitingInBacklog, "no_connection", false)]
    public void Silence_says_nothing_unless_the_command_never_left(CommandStatus status, string reason, bool mayBeApplied)
    {
        var failure = RedisFailure.Of(new RedisTimeoutException(CommandFlags.None, "silent", status))!;
        Assert.Equal((reason, mayBeApplied, true), (failure.Reason, failure.MayBeApplied, failure.Again));
    }

    [Fact]
    public void A_refused_password_is_found_inside_of_what_the_client_makes_of_it()
    {
        var refused = new RedisConnectionException(ConnectionFailureType.AuthenticationFailure, CommandFlags.None, "refused", null, CommandStatus.Unknown);
        var wrapped = new RedisConnectionException(ConnectionFailureType.UnableToResolvePhysicalConnection, CommandFlags.None, "no connection", refused, CommandStatus.Unknown);
        Assert.Equal("auth", RedisFailure.Of(refused)!.Reason);
        Assert.Equal("auth", RedisFailure.Of(wrapped)!.Reason);
        Assert.False(RedisFailure.Of(wrapped)!.Again);
    }

    [Fact]
    public void What_does_not_come_from_redis_is_none_of_it()
    {
        Assert.Null(RedisFailure.Of(new FormatException("a damaged record")));
        Assert.Null(RedisFailure.Of(new OperationCanceledException()));
        Assert.Null(RedisFailure.Of(new InvalidOperationException("a bug")));
    }
}
