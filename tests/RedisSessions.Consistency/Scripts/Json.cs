using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace RedisSessions.Consistency.Scripts;

/// <summary>
/// Values as canonical JSON, so that two values are equal when their texts are: map keys are sorted ordinally, bytes are
/// <c>{"$bytes":base64}</c>,
/// timestamps are <c>{"$time":...}</c>, and a double always shows a point or an exponent.
/// </summary>
internal static class Json
{
    /// <summary>For whole histories, scripts and answers over HTTP.</summary>
    public static JsonSerializerOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The canonical text of a value as <c>Session</c> gives it or a model holds it.</summary>
    public static string Write(object? value)
    {
        var text = new StringBuilder();
        Append(text, value);
        return text.ToString();
    }

    /// <summary>The value of a text: null, bool, long, ulong, double, string, byte[], DateTimeOffset, a list or a map.</summary>
    public static object? Read(string text)
    {
        using var document = JsonDocument.Parse(text);
        return Read(document.RootElement);
    }

    /// <summary>The canonical form of any JSON text.</summary>
    public static string Canonical(string text) => Write(Read(text));

    private static object? Read(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Null: return null;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            case JsonValueKind.String: return element.GetString();
            case JsonValueKind.Number:
                return Number(element);
            case JsonValueKind.Array: return element.EnumerateArray().Select(Read).ToList();
            default:
                if (element.TryGetProperty("$bytes", out var bytes))
                    return bytes.GetBytesFromBase64();
                if (element.TryGetProperty("$time", out var time))
                    return time.GetDateTimeOffset();
                return element.EnumerateObject().ToDictionary(member => member.Name, member => Read(member.Value), StringComparer.Ordinal);
        }
    }

    private static object Number(JsonElement element)
    {
        if (element.TryGetInt64(out var number))
            return number;
        return element.TryGetUInt64(out var large) ? (object)large : element.GetDouble();
    }

    private static void Append(StringBuilder text, object? value)
    {
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool truth: text.Append(truth ? "true" : "false"); break;
            case string s: AppendText(text, s); break;
            case double number: text.Append(Double(number)); break;
            case byte[] bytes: text.Append("{\"$bytes\":\"").Append(Convert.ToBase64String(bytes)).Append("\"}"); break;
            case DateTimeOffset time: text.Append("{\"$time\":\"").Append(time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture))
                .Append("\"}"); break;
            case IReadOnlyDictionary<string, object?> map: AppendMap(text, map); break;
            case IEnumerable<object?> list: AppendList(text, list); break;
            default: text.Append(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private static string Double(double number)
    {
        var digits = number.ToString("R", CultureInfo.InvariantCulture);
        return digits.AsSpan().IndexOfAny('.', 'E', 'N') < 0 && !double.IsInfinity(number) ? digits + ".0" : digits;
    }

    private static void AppendText(StringBuilder text, string s) =>
        text.Append('"').Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(s)).Append('"');

    private static void AppendMap(StringBuilder text, IReadOnlyDictionary<string, object?> map)
    {
        var first = '{';
        foreach (var key in map.Keys.Order(StringComparer.Ordinal))
        {
            AppendText(text.Append(first), key);
            Append(text.Append(':'), map[key]);
            first = ',';
        }
        text.Append(first == '{' ? "{}" : "}");
    }

    private static void AppendList(StringBuilder text, IEnumerable<object?> list)
    {
        var first = '[';
        foreach (var item in list)
        {
            Append(text.Append(first), item);
            first = ',';
        }
        text.Append(first == '[' ? "[]" : "]");
    }
}
