using System.Text.Json;

namespace RedisSessions.Consistency.Http.Wire;

/// <summary>How requests and what became of them are written: to processes, to witnesses, to a file of a history.</summary>
internal static class WireJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web);
}
