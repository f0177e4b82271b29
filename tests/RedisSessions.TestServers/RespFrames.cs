using System.Globalization;
using System.Text;

namespace RedisSessions.TestServers;

/// <summary>Cuts a stream of RESP2 or RESP3 into frames. One direction of one connection.</summary>
internal sealed class RespFrames : IFrames
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>The next whole frame, if it has arrived.</summary>
    public bool TryTake(out byte[] frame)
    {
        frame = [];
        if (End(0) is not { } end)
            return false;
        frame = _buffer.AsSpan(0, end).ToArray();
        _buffer.AsSpan(end, _length - end).CopyTo(_buffer);
        _length -= end;
        return true;
    }

    /// <summary>The name of a command, in capitals: the first element of the array that it is.</summary>
    public static string CommandName(ReadOnlySpan<byte> frame)
    {
        var start = frame.IndexOf((byte)'$');
        if (start < 0)
            return "";
        var name = frame[start..];
        name = name[(name.IndexOf((byte)'\n') + 1)..];
        return Encoding.ASCII.GetString(name[..name.IndexOf((byte)'\r')]).ToUpperInvariant();
    }

    /// <summary>Where the frame that begins at <paramref name="from"/> ends; null while it is not all there.</summary>
    private int? End(int from)
    {
        var line = from < _length ? _buffer.AsSpan(from, _length - from).IndexOf("\r\n"u8) : -1;
        if (line < 0)
            return null;
        var next = from + line + 2;
        switch ((char)_buffer[from])
        {
            case '$' or '!' or '=':
                var length = Number(from, line);
                var end = length < 0 ? next : next + length + 2;
                return end <= _length ? end : null;
            case '*' or '~' or '>':
                return Elements(next, Number(from, line));
            case '%':
                return Elements(next, 2 * Number(from, line));
            default:
                return next;
        }
    }

    private int? Elements(int from, int count)
    {
        for (int? end = from; ; count--)
        {
            if (count <= 0 || end is null)
                return end;
            end = End(end.Value);
        }
    }

    private int Number(int from, int line) => int.Parse(_buffer.AsSpan(from + 1, line - 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}
