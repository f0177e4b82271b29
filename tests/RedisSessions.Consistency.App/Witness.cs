using System.Text.Json;
using RedisSessions.Consistency.Http.Wire;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.App;

/// <summary>
/// Writes down what endpoints executed, before it is committed. A line that is written survives a kill of the process, and a response that
/// a
/// failed commit has replaced.
/// </summary>
internal sealed class Witness(string path) : IDisposable
{
    // Unbuffered: the line is in the kernel's cache when Write returns.
    private readonly FileStream _file = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    private readonly Lock _lock = new();

    public void Write(Witnessed witnessed)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(witnessed, Json.Options), (byte)'\n'];
        lock (_lock)
            _file.Write(line);
    }

    public void Dispose() => _file.Dispose();
}
