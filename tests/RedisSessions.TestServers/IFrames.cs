namespace RedisSessions.TestServers;

/// <summary>Cuts a stream of bytes into what a fault can happen to. One direction of one connection.</summary>
internal interface IFrames
{
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>The next whole frame, if it has arrived.</summary>
    bool TryTake(out byte[] frame);
}

/// <summary>No structure at all: a frame is what came in one piece.</summary>
internal sealed class PlainFrames : IFrames
{
    private byte[]? _bytes;

    public void Append(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    public bool TryTake(out byte[] frame)
    {
        (frame, var any) = (_bytes ?? [], _bytes is not null);
        _bytes = null;
        return any;
    }
}
