using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RedisSessions.Tests.Support;
using RedisSessions.Tests.Values;
using RedisSessions.Values;

namespace RedisSessions.Tests.Serialization;

/// <summary>
/// Records of format version 2 as they were written once. They are never edited and never written again: a record that was stored
/// by an older version of this library must be readable for as long as its format version is.
/// </summary>
public sealed class VectorTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "RedisSessions.Tests", "Vectors");
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "v2-*.bin").Select(path => Path.GetFileNameWithoutExtension(path)!).Order()];

    [Fact]
    public void There_is_a_vector_for_every_state_and_every_kind() =>
        Assert.Equal(
            ["v2-empty", "v2-ended", "v2-flash", "v2-forward", "v2-groups", "v2-hashes", "v2-idle", "v2-kinds", "v2-nested", "v2-notes", "v2-protected", "v2-replaced"],
            Names.Select(row => row.Data));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_vector_reads_as_the_fields_and_values_beside_it(string name)
    {
        var record = RecordFormat.Read(File.ReadAllBytes(Path.Combine(Folder, name + ".bin")));
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, name + ".json")), Describe(record));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_vector_is_written_as_it_is(string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Folder, name + ".bin"));
        Assert.Equal(bytes, RecordFormat.Write(RecordFormat.Read(bytes)));
    }

    [Fact]
    public void Vectors_are_written_once()
    {
        // WRITE_VECTORS=1 writes those that do not exist yet, when a format version or a kind is added; it never overwrites.
        if (Environment.GetEnvironmentVariable("WRITE_VECTORS") == "1")
        {
            foreach (var (name, record) in VectorRecords.All())
            {
                if (!File.Exists(Path.Combine(Folder, name + ".bin")))
                {
                    File.WriteAllBytes(Path.Combine(Folder, name + ".bin"), RecordFormat.Write(record));
                    File.WriteAllText(Path.Combine(Folder, name + ".json"), Describe(record));
                }
            }
        }

        foreach (var (name, record) in VectorRecords.All())
            Assert.Equal(File.ReadAllBytes(Path.Combine(Folder, name + ".bin")), RecordFormat.Write(record));
    }

    private static string Describe(SessionRecord record)
    {
        var fields = Fields(record);
        if (record.IdleTimeout is { } idle)
            fields.Add("idleTimeout", idle.ToString("c", CultureInfo.InvariantCulture));
        if (record is { Notes.IsEmpty: false, PayloadFormat: PayloadFormat.MessagePack })
            fields.Add("notes", Json(new SessionValue(record.Notes).ToObject()));
        else if (!record.Notes.IsEmpty)
            fields.Add("notes", Convert.ToHexStringLower(record.Notes.Span));
        return fields.ToJsonString(Indented) + "\n";
    }

    private static JsonObject Fields(SessionRecord record) => new()
    {
        ["version"] = record.Version.Value.ToString("x16", CultureInfo.InvariantCulture),
        ["state"] = record.State.ToString(),
        ["created"] = record.CreatedAt.ToString("O", CultureInfo.InvariantCulture),
        ["absoluteDeadline"] = record.AbsoluteDeadline.ToString("O", CultureInfo.InvariantCulture),
        ["commitIds"] = new JsonArray([.. record.CommitIds.Select(id => (JsonNode)id.Value.ToString("x16", CultureInfo.InvariantCulture))]),
        ["payloadFormat"] = record.PayloadFormat.ToString(),
        ["payload"] = record.State switch
        {
            SessionState.Live when record.PayloadFormat == PayloadFormat.MessagePack => Json(SessionTree.Read(record.Payload).ToValue().ToObject()),
            SessionState.Forward or SessionState.Replaced => SessionKey.FromBytes(record.Payload.Span).Value,
            _ => Convert.ToHexStringLower(record.Payload.Span),
        },
    };

    private static JsonNode? Json(object? value) => value switch
    {
        null => null,
        bool flag => flag,
        long number => number,
        ulong number => number,
        double number => number,
        string text => text,
        IReadOnlyDictionary<string, object?> map => new JsonObject(map.Select(pair => KeyValuePair.Create(pair.Key, Json(pair.Value)))),
        IReadOnlyList<object?> list => new JsonArray([.. list.Select(Json)]),
        _ => Given.Text(value),
    };
}
