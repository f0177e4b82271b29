using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RedisSessions;

/// <summary>
/// The parts of a record as they are stored: in clear, or encrypted one by one. An encrypted part repeats what must not be forged: the session's key, the state,
/// the creation, the absolute deadline and the idle timeout. The copies in the header serve the store, and are compared here.
/// </summary>
internal sealed class RecordSeal(ISessionPayloadProtector? protector)
{
    private const int StateOffset = 1, IdleOffset = 2, CreatedOffset = 4, DeadlineOffset = 12, KeyOffset = 20;

    /// <summary>What comes before the content of an encrypted part.</summary>
    public const int BindingLength = KeyOffset + SessionId.Length;

    /// <summary>Which part it is; no part is accepted in the place of another.</summary>
    public enum Part : byte
    {
        /// <summary>The values of a live session.</summary>
        Payload = 1,

        /// <summary>The notes of a live session.</summary>
        Notes = 2,

        /// <summary>The key of the session that a closed record leads to.</summary>
        Target = 3,
    }

    /// <summary>Whether parts are stored as they are.</summary>
    public bool IsClear => protector is null;

    /// <summary>Whether a part of this record can be stored again as it is, if nothing that it repeats has changed.</summary>
    public bool IsAsStoredNow(SessionRecord record) => record.PayloadFormat == (IsClear ? PayloadFormat.MessagePack : PayloadFormat.Protected);

    /// <summary>A part as it is stored.</summary>
    /// <param name="part">Which one.</param>
    /// <param name="key">The session.</param>
    /// <param name="header">A record with the header that the part is stored behind.</param>
    /// <param name="content">What it says.</param>
    /// <exception cref="CryptographicException">It could not be encrypted.</exception>
    public ReadOnlyMemory<byte> Close(Part part, SessionKey key, SessionRecord header, ReadOnlyMemory<byte> content)
    {
        if (protector is null)
            return content;
        var bytes = new byte[BindingLength + content.Length];
        Bind(part, key, header, bytes);
        content.Span.CopyTo(bytes.AsSpan(BindingLength));
        return protector.Protect(bytes);
    }

    /// <summary>What a part of a stored record says.</summary>
    /// <param name="part">Which one.</param>
    /// <param name="key">The session that the record was found under.</param>
    /// <param name="record">The record.</param>
    /// <param name="stored">The part.</param>
    /// <exception cref="FormatException">It cannot be believed or decrypted; the message says what to do.</exception>
    public ReadOnlyMemory<byte> Open(Part part, SessionKey key, SessionRecord record, ReadOnlyMemory<byte> stored)
    {
        var clear = part == Part.Target ? PayloadFormat.None : PayloadFormat.MessagePack;
        if (record.PayloadFormat == clear)
        {
            if (protector is null || (part != Part.Target && protector.AcceptsUnprotected))
                return stored;
            throw new FormatException(part == Part.Target
                ? "the record leads to another session and is not encrypted, which is refused with ProtectPayload: a stranger put it there, or an instance without that setting"
                : "the record is not encrypted, and unencrypted ones are not accepted any more (ProtectPayload): a stranger put it there, or it is older than that setting");
        }

        if (record.PayloadFormat != PayloadFormat.Protected)
            throw new FormatException($"the record has payload format {(byte)record.PayloadFormat}, which a record of state {record.State} does not");
        if (protector is null)
            throw new FormatException("the record is encrypted: call ProtectPayload() in this application too, with the same key ring");
        return Unbound(part, key, record, Decrypt(stored));
    }

    private ReadOnlyMemory<byte> Decrypt(ReadOnlyMemory<byte> stored)
    {
        try
        {
            return protector!.Unprotect(stored);
        }
        catch (CryptographicException e)
        {
            throw new FormatException(
                "the record cannot be decrypted: it was changed, or its key is not in this instance's key ring, which all instances have to share and to reach", e);
        }
    }

    private static ReadOnlyMemory<byte> Unbound(Part part, SessionKey key, SessionRecord record, ReadOnlyMemory<byte> bytes)
    {
        Span<byte> expected = stackalloc byte[BindingLength];
        Bind(part, key, record, expected);
        return bytes.Span.StartsWith(expected)
            ? bytes[BindingLength..]
            : throw new FormatException(
                "the record was encrypted for another session, or its state or its deadlines were changed in the store: somebody else writes there");
    }

    private static void Bind(Part part, SessionKey key, SessionRecord header, Span<byte> bytes)
    {
        bytes[0] = (byte)part;
        bytes[StateOffset] = (byte)header.State;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[IdleOffset..], header.IdleTimeout is { } idle ? RecordFormat.IdleCode(idle) : (ushort)0);
        BinaryPrimitives.WriteInt64BigEndian(bytes[CreatedOffset..], header.CreatedAt.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes[DeadlineOffset..], header.AbsoluteDeadline.ToUnixTimeMilliseconds());
        Encoding.ASCII.GetBytes(key.Value, bytes[KeyOffset..]);
    }
}
