namespace StockApp.Shop;

/// <summary>A motif; its hue is all there is to it.</summary>
public sealed record Motif(string Name, int Hue)
{
    public IReadOnlyList<Print> Prints => [.. Catalogue.Sizes.Select(size => new Print(this, size.Name, size.Price))];
}

/// <summary>A motif in a size: what is sold.</summary>
public sealed record Print(Motif Motif, string Size, int Price)
{
    public string Sku => $"{Motif.Name}-{Size}".ToLowerInvariant();

    public string Title => $"{Motif.Name} in {Size}";
}

/// <summary>Everything that the shop has.</summary>
internal static class Catalogue
{
    public static readonly (string Name, int Price)[] Sizes = [("A4", 12), ("A3", 19), ("A2", 29), ("A1", 45)];

    public static readonly IReadOnlyList<Motif> Motifs =
    [
        new("Ember", 12), new("Dune", 34), new("Meadow", 86), new("Fern", 128), new("Lagoon", 166), new("Harbour", 194), new("Glacier", 206),
        new("Night", 228), new("Lavender", 258), new("Orchid", 290), new("Rose", 326), new("Poppy", 352), new("Straw", 50),
    ];

    private static readonly Dictionary<string, Print> BySku = Motifs.SelectMany(static motif => motif.Prints).ToDictionary(static print => print.Sku);

    public static Print? Find(string? sku) => sku is null ? null : BySku.GetValueOrDefault(sku);
}
