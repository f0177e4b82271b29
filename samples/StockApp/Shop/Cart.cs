namespace StockApp.Shop;

/// <summary>What a visitor is about to buy: how many of which poster.</summary>
public sealed class Cart
{
    public const string Key = "cart";

    public Dictionary<string, int> Lines { get; init; } = [];

    public int Count => Lines.Values.Sum();

    public int Total => Lines.Sum(static line => line.Value * (Catalogue.Find(line.Key)?.Price ?? 0));

    public void Add(Print print)
    {
        ArgumentNullException.ThrowIfNull(print);
        Lines[print.Sku] = Lines.GetValueOrDefault(print.Sku) + 1;
    }
}
