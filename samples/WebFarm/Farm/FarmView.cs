using System.Text.Json;
using System.Text.Json.Serialization;

namespace WebFarm.Farm;

/// <summary>What the balancer tells an instance with each request: where the farm is reached, and who is up.</summary>
internal sealed record FarmView(string Address, IReadOnlyList<InstanceView> Instances)
{
    /// <summary>The request header that carries it. The balancer always sets it, so a visitor cannot.</summary>
    public const string Header = "X-Farm";

    /// <summary>The response header by which an instance says who it is.</summary>
    public const string AnsweredBy = "X-Instance";

    public string ToJson() => JsonSerializer.Serialize(this, FarmJson.Default.FarmView);

    /// <summary>The farm of a request; without a balancer in front there is none.</summary>
    public static FarmView? Of(HttpRequest request) =>
        request.Headers[Header] is [{ } json] ? JsonSerializer.Deserialize(json, FarmJson.Default.FarmView) : null;
}

/// <summary>One instance as the balancer sees it.</summary>
internal sealed record InstanceView(string Name, int Pid, bool Up);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FarmView))]
internal sealed partial class FarmJson : JsonSerializerContext;
