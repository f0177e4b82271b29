using System.Text.Json;
using RedisSessions.Consistency.History;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Http;

/// <summary>Histories as files: what cannot be repeated is kept whole.</summary>
internal static class KeptHistory
{
    /// <returns>The file.</returns>
    public static async Task<string> WriteAsync(RunHistory history, string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"{history.Name.Replace(' ', '-')}-{history.Seed}.json");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(history, Json.Options), cancellationToken);
        return file;
    }

    public static async Task<RunHistory> ReadAsync(string file, CancellationToken cancellationToken) =>
        JsonSerializer.Deserialize<RunHistory>(await File.ReadAllBytesAsync(file, cancellationToken), Json.Options)
        ?? throw new InvalidOperationException($"{file} holds no history.");
}
