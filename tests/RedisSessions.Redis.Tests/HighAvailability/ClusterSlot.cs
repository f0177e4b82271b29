using System.Text;

namespace RedisSessions.Redis.Tests.HighAvailability;

/// <summary>Which of the 16,384 slots a key without braces falls into: CRC-16/XMODEM, as the Redis Cluster specification has it.</summary>
internal static class ClusterSlot
{
    public static int Of(string key)
    {
        var crc = 0;
        foreach (var octet in Encoding.UTF8.GetBytes(key))
        {
            crc ^= octet << 8;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        }

        return crc & 0x3FFF;
    }
}
