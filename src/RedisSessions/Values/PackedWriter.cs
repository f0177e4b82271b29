using System.Text;
using MessagePack;

namespace RedisSessions.Values;

/// <summary>Writes MessagePack into bytes whose number was asked for before: the sizes here are those of what is written here.</summary>
internal ref struct PackedWriter(Span<byte> destination)
{
    private readonly Span<byte> _all = destination;

    /// <summary>How much has been written.</summary>
    public int Written { get; private set; }

    private readonly Span<byte> Rest => _all[Written..];

    public static int MapHeaderSize(int count) => count <= 15 ? 1 : count <= ushort.MaxValue ? 3 : 5;

    public static int ListHeaderSize(int count) => MapHeaderSize(count);

    public static int StringSize(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        return length + (length <= 31 ? 1 : length <= byte.MaxValue ? 2 : length <= ushort.MaxValue ? 3 : 5);
    }

    public void WriteMapHeader(int count)
    {
        MessagePackPrimitives.TryWriteMapHeader(Rest, (uint)count, out var written);
        Written += written;
    }

    public void WriteListHeader(int count)
    {
        MessagePackPrimitives.TryWriteArrayHeader(Rest, (uint)count, out var written);
        Written += written;
    }

    public void WriteString(string text)
    {
        MessagePackPrimitives.TryWriteStringHeader(Rest, (uint)Encoding.UTF8.GetByteCount(text), out var written);
        Written += written;
        Written += Encoding.UTF8.GetBytes(text, Rest);
    }

    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Rest);
        Written += bytes.Length;
    }
}
