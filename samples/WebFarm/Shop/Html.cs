using System.Globalization;
using System.Net;

namespace WebFarm.Shop;

/// <summary>Markup. Text becomes markup in one way only: encoded, in the hole of a template.</summary>
internal readonly record struct Html
{
    private readonly string? _markup;

    private Html(string markup) => _markup = markup;

    public static Html Empty => default;

    /// <summary>A template: what stands in its holes is encoded, unless it is markup itself.</summary>
    public static Html Of(FormattableString template) =>
        new(string.Format(CultureInfo.InvariantCulture, template.Format, [.. template.GetArguments().Select(Encode)]));

    public static Html Each<T>(IEnumerable<T> values, Func<T, Html> template) => new(string.Concat(values.Select(template)));

    public override string ToString() => _markup ?? "";

    private static object? Encode(object? value) => value switch
    {
        Html markup => markup,
        IFormattable formattable => WebUtility.HtmlEncode(formattable.ToString(null, CultureInfo.InvariantCulture)),
        _ => WebUtility.HtmlEncode(value?.ToString()),
    };
}
