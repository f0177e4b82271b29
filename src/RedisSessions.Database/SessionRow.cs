using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions.Database;

/// <summary>What stands in the columns, and back.</summary>
internal static class SessionRow
{
    private const int LongestUserId = 255;

    /// <exception cref="FormatException">This is no record.</exception>
    public static SessionRecord Record(string payload)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(payload);
        }
        catch (FormatException e)
        {
            throw new FormatException("the payload of the row is no base64, so this is no session record", e);
        }

        return RecordFormat.Read(bytes);
    }

    public static string Payload(SessionRecord record) => Convert.ToBase64String(RecordFormat.Write(record));

    /// <summary>A user id as it is, for whoever looks into the table; its hash when no column can hold it. Whoever finds a session compares with its values.</summary>
    public static string User(string userId) => userId.Length <= LongestUserId && !userId.Contains('\0', StringComparison.Ordinal)
        ? userId
        : "sha256:" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(userId)));

    public static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    /// <summary>Versions are compared for equality only, so the sign they get beyond 2^63 changes nothing.</summary>
    public static long Signed(SessionVersion version) => unchecked((long)version.Value);
}
