using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace RedisSessions;

/// <summary>
/// Encrypts payloads with the application's Data Protection keys. The session's key goes in as well, so that a payload that was copied to another session in the
/// store is refused.
/// </summary>
internal sealed class ProtectedPayload(IDataProtectionProvider provider, bool acceptsUnprotected) : ISessionPayloadProtector
{
    private readonly IDataProtector _protector = provider.CreateProtector("RedisSessions.Payload.v1");

    public bool AcceptsUnprotected => acceptsUnprotected;

    public ReadOnlyMemory<byte> Protect(SessionKey key, ReadOnlyMemory<byte> payload)
    {
        var bytes = new byte[SessionId.Length + payload.Length];
        Name(key, bytes);
        payload.Span.CopyTo(bytes.AsSpan(SessionId.Length));
        return KeyRing(() => _protector.Protect(bytes));
    }

    public ReadOnlyMemory<byte> Unprotect(SessionKey key, ReadOnlyMemory<byte> payload)
    {
        var bytes = KeyRing(() => _protector.Unprotect(payload.ToArray()));
        Span<byte> name = stackalloc byte[SessionId.Length];
        Name(key, name);
        if (!bytes.AsSpan().StartsWith(name))
            throw new CryptographicException("The payload was made for another session.");
        return bytes.AsMemory(SessionId.Length);
    }

    /// <summary>Keys are read from wherever the application keeps them, and what goes wrong there comes out here as what it is there.</summary>
    private static byte[] KeyRing(Func<byte[]> use)
    {
        try
        {
            return use();
        }
        catch (Exception e) when (e is not (CryptographicException or OutOfMemoryException))
        {
            throw new CryptographicException("The Data Protection key ring could not be used.", e);
        }
    }

    private static void Name(SessionKey key, Span<byte> bytes) => System.Text.Encoding.ASCII.GetBytes(key.Value, bytes);
}
