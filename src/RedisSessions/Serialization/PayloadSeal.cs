using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>Payloads as they are stored: in clear, or encrypted for one session; and what is accepted of what was stored before.</summary>
internal sealed class PayloadSeal(ISessionPayloadProtector? protector)
{
    /// <summary>Whether payloads are stored as they are.</summary>
    public bool IsClear => protector is null;

    public (PayloadFormat Format, ReadOnlyMemory<byte> Payload) Close(SessionKey key, ReadOnlyMemory<byte> payload) =>
        protector is null ? (PayloadFormat.MessagePack, payload) : (PayloadFormat.Protected, protector.Protect(key, payload));

    /// <exception cref="FormatException">It is nothing that a live session has here, or cannot be decrypted; the message says what to do.</exception>
    public ReadOnlyMemory<byte> Open(SessionKey key, PayloadFormat format, ReadOnlyMemory<byte> payload)
    {
        switch (format)
        {
            case PayloadFormat.MessagePack when protector is null or { AcceptsUnprotected: true }:
                return payload;
            case PayloadFormat.MessagePack:
                throw new FormatException(
                    "the record is not encrypted, and unencrypted ones are not accepted any more (ProtectPayload): a stranger put it there, or it is older than that setting");
            case PayloadFormat.Protected when protector is null:
                throw new FormatException("the record is encrypted: call ProtectPayload() in this application too, with the same key ring");
            case PayloadFormat.Protected:
                break;
            default:
                throw new FormatException($"the record has payload format {format}, which a live session does not");
        }

        try
        {
            return protector.Unprotect(key, payload);
        }
        catch (CryptographicException e)
        {
            throw new FormatException("the record cannot be decrypted: it was changed, or its key is not in this instance's key ring, which all instances have to share and to reach", e);
        }
    }
}
