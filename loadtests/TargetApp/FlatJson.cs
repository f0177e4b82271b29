using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace TargetApp;

/// <summary>All values of a session as one flat JSON object with dotted keys.</summary>
internal static class FlatJson
{
    public static byte[] Write(IReadOnlyDictionary<string, object?> values)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (key, value) in values)
                Write(json, key, value);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case IReadOnlyDictionary<string, object?> { Count: > 0 } map:
                foreach (var (name, child) in map)
                    Write(json, $"{key}.{name}", child);
                break;
            case IReadOnlyList<object?> { Count: > 0 } list:
                for (var i = 0; i < list.Count; i++)
                    Write(json, string.Create(CultureInfo.InvariantCulture, $"{key}.{i}"), list[i]);
                break;
            case IReadOnlyDictionary<string, object?>:
                json.WriteStartObject(key);
                json.WriteEndObject();
                break;
            case null:
                json.WriteNull(key);
                break;
            case bool truth:
                json.WriteBoolean(key, truth);
                break;
            case long number:
                json.WriteNumber(key, number);
                break;
            case ulong number:
                json.WriteNumber(key, number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(key, number);
                break;
            // What ISession stores is bytes, and mostly text.
            case byte[] bytes when Utf8.IsValid(bytes) && !bytes.AsSpan().ContainsAnyInRange((byte)0, (byte)31):
                json.WriteString(key, bytes);
                break;
            case byte[] bytes:
                json.WriteBase64String(key, bytes);
                break;
            case DateTimeOffset instant:
                json.WriteString(key, instant);
                break;
            case IReadOnlyList<object?>:
                json.WriteStartArray(key);
                json.WriteEndArray();
                break;
            default:
                json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
