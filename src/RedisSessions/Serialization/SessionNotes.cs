using System.Buffers;
using MessagePack;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// What a record says of its sign-in, apart from the values: <see cref="ISessionDirectory"/> reads these and no payloads. As bytes one MessagePack map; what a
/// reader does not know in it is left alone.
/// </summary>
/// <param name="User">The text of what the session holds at <see cref="RedisSessionsOptions.UserKey"/>.</param>
/// <param name="Agent">The browser, as it called itself.</param>
/// <param name="Address">Where the request came from.</param>
/// <param name="SignedInAt">When the session became the user's.</param>
internal sealed record SessionNotes(string User, string? Agent, string? Address, DateTimeOffset? SignedInAt)
{
    private const string UserName = "user", AgentName = "agent", AddressName = "address", SignedInName = "signed_in";
    private const int LongestAgent = 256;

    public ReadOnlyMemory<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteMapHeader(1 + (Agent is null ? 0 : 1) + (Address is null ? 0 : 1) + (SignedInAt is null ? 0 : 1));
        Write(ref writer, UserName, User);
        Write(ref writer, AgentName, Agent is { Length: > LongestAgent } ? Agent[..LongestAgent] : Agent);
        Write(ref writer, AddressName, Address);
        if (SignedInAt is { } time)
        {
            writer.Write(SignedInName);
            writer.Write(time.UtcDateTime);
        }

        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>Reads notes back.</summary>
    /// <returns>Null when they name no user.</returns>
    /// <exception cref="FormatException">They are no well-formed map.</exception>
    public static SessionNotes? Read(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return null;
        Packed.ValidateMap(bytes.Span);
        var notes = (IReadOnlyDictionary<string, object?>)new SessionValue(bytes).ToObject()!;
        return notes.GetValueOrDefault(UserName) is string user
            ? new(
                user, notes.GetValueOrDefault(AgentName) as string, notes.GetValueOrDefault(AddressName) as string,
                notes.GetValueOrDefault(SignedInName) as DateTimeOffset?)
            : null;
    }

    private static void Write(ref MessagePackWriter writer, string name, string? text)
    {
        if (text is null)
            return;
        writer.Write(name);
        writer.Write(text);
    }
}
