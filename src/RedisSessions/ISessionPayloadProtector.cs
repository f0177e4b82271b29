using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>
/// Encrypts what a store must neither read nor forge; <c>ProtectPayload()</c> of RedisSessions.AspNetCore registers one over ASP.NET Core Data Protection. The engine
/// puts the session's key, state and deadlines into the bytes, and compares them when it reads: an implementation need not know of them.
/// </summary>
public interface ISessionPayloadProtector
{
    /// <summary>
    /// Whether sessions that are not encrypted are read too. True while encryption is being switched on; false refuses what somebody has put into the store in
    /// clear. An unencrypted forward is refused in any case.
    /// </summary>
    bool AcceptsUnprotected { get; }

    /// <summary>Encrypts and authenticates some bytes.</summary>
    /// <param name="bytes">Anything.</param>
    /// <exception cref="CryptographicException">There is no key to do it with.</exception>
    ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes);

    /// <summary>Decrypts what <see cref="Protect"/> has made.</summary>
    /// <param name="bytes">What is stored.</param>
    /// <exception cref="CryptographicException">It was made with a key that is not at hand, or was changed since.</exception>
    ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes);
}
