using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc.RazorPages;
using PhpBridge.Site;
using RedisSessions;

namespace PhpBridge.Pages;

/// <summary>One session as both halves see it at this moment.</summary>
public sealed class SessionModel(Session session) : PageModel
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public View Php { get; private set; } = new("", "");

    public View Net { get; private set; } = new("", "");

    public string Verdict { get; private set; } = "";

    public string? Message { get; private set; }

    /// <summary>Of a session that is there; looking makes none.</summary>
    public string? Token => session.Get<string>("site.csrf");

    public async Task OnGetAsync()
    {
        // What PHP is to see is stored first.
        Message = await session.UpdateAsync(static session => session.Pull<string>("message"), HttpContext.RequestAborted);
        var php = await HttpContext.RequestServices.GetRequiredService<PhpView>().AskAsync(Request, HttpContext.RequestAborted);
        var values = php?["values"]?.AsObject() ?? [];
        // Where this library notes what a PHP session has no place for.
        values.Remove("_session");
        var mine = JsonSerializer.SerializeToNode(session.All())!.AsObject();

        (Php, Net) = (new(php?["id"]?.GetValue<string>() ?? "", Sorted(values)), new(Account.Fingerprint(session), Sorted(mine)));
        Verdict = Net.Id.Length == 0
            ? "There is no session yet: write something on one of the other pages."
            : Php == Net ? "PHP and .NET see one session with the same values." : "PHP and .NET see different things: reload when no other request is under way.";
    }

    private static string Sorted(JsonObject values) =>
        new JsonObject(values.OrderBy(static value => value.Key, StringComparer.Ordinal).Select(static value => KeyValuePair.Create(value.Key, Sorted(value.Value)))).ToJsonString(Indented);

    private static JsonNode? Sorted(JsonNode? value) => value is JsonObject map
        ? new JsonObject(map.OrderBy(static part => part.Key, StringComparer.Ordinal).Select(static part => KeyValuePair.Create(part.Key, Sorted(part.Value))))
        : value?.DeepClone();

    /// <summary>What one half sees.</summary>
    public sealed record View(string Id, string Values);
}
