using System.Security.Cryptography;

namespace RedisSessions;

/// <summary>Encrypts the values of sessions before they reach a store; <c>ProtectPayload()</c> of RedisSessions.AspNetCore registers one over ASP.NET Core Data Protection.</summary>
public interface ISessionPayloadProtector
{
    /// <summary>Whether records that are not encrypted are read too. True while encryption is being switched on; false refuses what somebody has put into the store in clear.</summary>
    bool AcceptsUnprotected { get; }

    /// <summary>Encrypts and authenticates a payload for one session: under another key it must not be accepted.</summary>
    /// <param name="key">The session it belongs to.</param>
    /// <param name="payload">The values.</param>
    ReadOnlyMemory<byte> Protect(SessionKey key, ReadOnlyMemory<byte> payload);

    /// <summary>Decrypts what <see cref="Protect"/> has made.</summary>
    /// <param name="key">The session it was read under.</param>
    /// <param name="payload">What is stored.</param>
    /// <exception cref="CryptographicException">It was made for another session, with a key that is not at hand, or was changed since.</exception>
    ReadOnlyMemory<byte> Unprotect(SessionKey key, ReadOnlyMemory<byte> payload);
}
