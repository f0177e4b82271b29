namespace WebFarm.Shop;

/// <summary>Something the shop sells.</summary>
internal sealed record Product(string Id, string Name, string Description, int Cents);

internal static class Catalog
{
    public static IReadOnlyList<Product> Products { get; } =
    [
        new("beans", "Espresso beans", "500 g, roasted dark", 1490),
        new("kettle", "Pour-over kettle", "1 litre, steel", 3900),
        new("cup", "Stoneware cup", "0.2 litre, glazed", 1250),
        new("filters", "Paper filters", "100 pieces, size 2", 450),
    ];

    public static Product? Find(string? id) => Products.FirstOrDefault(product => product.Id == id);
}
