using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;

namespace RedisSessions;

/// <summary>Encrypts what is stored with the application's Data Protection keys.</summary>
internal sealed class ProtectedPayload(IDataProtectionProvider provider, bool acceptsUnprotected) : ISessionPayloadProtector
{
    private readonly IDataProtector _protector = provider.CreateProtector("RedisSessions.Record.v2");

    public bool AcceptsUnprotected => acceptsUnprotected;

    public ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes) => KeyRing(bytes, static (protector, bytes) => protector.Protect(bytes));

    public ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes) => KeyRing(bytes, static (protector, bytes) => protector.Unprotect(bytes));

    /// <summary>Keys are read from wherever the application keeps them, and what goes wrong there comes out here as what it is there.</summary>
    private byte[] KeyRing(ReadOnlyMemory<byte> bytes, Func<IDataProtector, byte[], byte[]> use)
    {
        try
        {
            return use(_protector, Array(bytes));
        }
        catch (Exception e) when (e is not (CryptographicException or OutOfMemoryException))
        {
            throw new CryptographicException("The Data Protection key ring could not be used.", e);
        }
    }

    // Data Protection takes whole arrays; what the engine seals is one already.
    private static byte[] Array(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : bytes.ToArray();
}
