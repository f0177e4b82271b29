using System.Security.Cryptography;

namespace RedisSessions.Consistency.Simulation;

/// <summary>
/// Stands for encryption: marks what it has made. Now and then the key ring cannot be read, as one on a share or in a database.
/// </summary>
internal sealed class SimulatedProtector(SimulatedProcess process) : ISessionPayloadProtector
{
    private static readonly byte[] Mark = "sealed"u8.ToArray();

    public bool AcceptsUnprotected => false;

    public ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes)
    {
        ThrowIfAway();
        byte[] sealedBytes = [.. Mark, .. bytes.Span];
        return sealedBytes;
    }

    public ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes)
    {
        ThrowIfAway();
        return bytes.Span.StartsWith(Mark) ? bytes[Mark.Length..] : throw new CryptographicException("it was not made here");
    }

    private void ThrowIfAway()
    {
        if (!process.Draws.Chance(process.Faults.KeyRing))
            return;
        process.HasTrouble();
        process.Note("the key ring cannot be read");
        throw new CryptographicException("the key ring cannot be read");
    }
}
