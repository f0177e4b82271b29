using System.Text.Json;

namespace RedisSessions.AspNetCore.Tests.Laravel;

/// <summary>A cookie that a real Laravel has written; its version and that of its PHP are in the file's name. Written once, never edited.</summary>
public sealed record LaravelVector(string Cipher = "AES-256-CBC", string Key = "", bool Serialize = false, string Name = "", string Value = "", string Cookie = "")
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Laravel");

    public static IReadOnlyList<LaravelVector> All { get; } =
    [
        .. Directory.EnumerateFiles(Path.Combine(Folder, "Vectors"), "laravel-*-php-*.json")
            .SelectMany(static file => JsonSerializer.Deserialize<LaravelVector[]>(File.ReadAllText(file), JsonSerializerOptions.Web)!),
    ];

    public override string ToString() => $"{Cipher}{(Serialize ? ", serialized" : "")}: {Name}";
}
