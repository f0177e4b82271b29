using System.Text;

namespace RedisSessions;

/// <summary>
/// What the framework stores for a session: a revision (2), a count in three bytes, an id in sixteen; then for each value two bytes of key length, the key in UTF-8,
/// four bytes of length and the bytes. All numbers big-endian.
/// </summary>
internal static class AspNetCoreSessionRecord
{
    private const byte Revision = 2;
    private const int HeaderLength = 20;

    /// <exception cref="FormatException">It is something else.</exception>
    public static IReadOnlyDictionary<string, byte[]> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength || bytes[0] != Revision)
            throw new FormatException("this is no session record of ASP.NET Core, or one of an unknown revision");
        var count = Number(bytes[1..4]);
        bytes = bytes[HeaderLength..];
        var values = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var key = Next(ref bytes, 2);
            values[Encoding.UTF8.GetString(key)] = Next(ref bytes, 4).ToArray();
        }

        return values;
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> bytes, int lengthBytes)
    {
        var length = bytes.Length < lengthBytes ? -1 : Number(bytes[..lengthBytes]);
        if (length < 0 || length > bytes.Length - lengthBytes)
            throw new FormatException("the session record of ASP.NET Core is truncated or damaged");
        var next = bytes.Slice(lengthBytes, length);
        bytes = bytes[(lengthBytes + length)..];
        return next;
    }

    private static int Number(ReadOnlySpan<byte> bytes)
    {
        var number = 0;
        foreach (var b in bytes)
            number = number << 8 | b;
        return number;
    }
}
