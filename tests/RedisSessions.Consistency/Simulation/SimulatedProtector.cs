using System.Security.Cryptography;
using System.Text;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Stands for encryption: binds a payload to its key. Now and then the key ring cannot be read, as one on a share or in a database.</summary>
internal sealed class SimulatedProtector(SimulatedProcess process) : ISessionPayloadProtector
{
    public bool AcceptsUnprotected => false;

    public ReadOnlyMemory<byte> Protect(SessionKey key, ReadOnlyMemory<byte> payload)
    {
        ThrowIfAway();
        byte[] bytes = [.. Encoding.ASCII.GetBytes(key.Value), .. payload.Span];
        return bytes;
    }

    public ReadOnlyMemory<byte> Unprotect(SessionKey key, ReadOnlyMemory<byte> payload)
    {
        ThrowIfAway();
        var name = Encoding.ASCII.GetBytes(key.Value);
        return payload.Span.StartsWith(name)
            ? payload[name.Length..]
            : throw new CryptographicException("it was made for another session");
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
