using System.Buffers;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>One commit as the server gets it, through all its tries. Its bytes stand in a buffer that is lent, and goes back when the server has answered the only try.</summary>
internal sealed class RedisCommit : IBufferWriter<byte>
{
    private readonly SessionVersion _expected;
    private readonly SessionRecord _record;
    private readonly RedisKey[] _keys;
    private readonly RedisValue[] _values;
    private byte[]? _buffer;
    private int _length, _tries;

    /// <param name="key">Where the record is.</param>
    /// <param name="expected">The version that is to be there.</param>
    /// <param name="record">What is to take its place.</param>
    /// <param name="lifetime">How long, from the server's now on.</param>
    /// <param name="told">The channel and the message that tell of it; null when nobody is told.</param>
    public RedisCommit(RedisKey key, SessionVersion expected, SessionRecord record, TimeSpan lifetime, (RedisValue Channel, RedisValue Message)? told)
    {
        (_expected, _record, _keys) = (expected, record, [key]);
        var milliseconds = (long)lifetime.TotalMilliseconds;
        _values = told is var (channel, message) ? [default, default, milliseconds, channel, message] : [default, default, milliseconds];
    }

    public RedisKey Key => _keys[0];

    /// <summary>Whether the bytes are still this commit's.</summary>
    internal bool HasBuffer => _buffer is not null;

    public Task<RedisResult> RunAsync(RedisTry attempt)
    {
        _tries++;
        if (_buffer is null)
            Write();
        return RedisScripts.Commit.RunAsync(attempt, _keys, _values);
    }

    /// <summary>What the answer means.</summary>
    /// <exception cref="FormatException">What is there is no record.</exception>
    /// <exception cref="SessionStoreException">It cannot be known whether an earlier try was stored.</exception>
    public CommitResult Read(RedisTry attempt, RedisResult answer)
    {
        // It answers what was sent, and nothing else was: nobody needs the bytes any more. An earlier try without an answer may still be on its way.
        if (_tries == 1)
            GiveBack();
        if (answer.Resp2Type == ResultType.Integer)
            return (int)answer == 1 ? CommitResult.Committed.Instance : CommitResult.Gone.Instance;
        var current = RecordFormat.Read((byte[])answer!);
        if (attempt.MayBeApplied && !current.RemembersCommitsSince(_expected))
        {
            throw new SessionStoreException("redis", "commit",
                "an answer was lost, and so many commits followed that it cannot be told whether this one was stored; it was not tried again.");
        }

        return new CommitResult.Conflict(current);
    }

    /// <summary>Whether a record has come from this commit or from one on top of it.</summary>
    public bool IsIn(SessionRecord record) => _record.CommitIds is [var id, ..] && record.HasCommit(id);

    void IBufferWriter<byte>.Advance(int count) => _length = count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => _buffer = ArrayPool<byte>.Shared.Rent(sizeHint + RecordFormat.VersionLength);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => ((IBufferWriter<byte>)this).GetMemory(sizeHint).Span;

    /// <summary>The record, and behind it the version that is expected: one buffer for both.</summary>
    private void Write()
    {
        RecordFormat.Write(_record, this);
        RecordFormat.WriteVersion(_expected, _buffer.AsSpan(_length));
        _values[0] = _expected == SessionVersion.None ? RedisValue.EmptyString : (RedisValue)new ReadOnlyMemory<byte>(_buffer, _length, RecordFormat.VersionLength);
        _values[1] = new ReadOnlyMemory<byte>(_buffer, 0, _length);
    }

    private void GiveBack()
    {
        var buffer = _buffer!;
        _buffer = null;
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
