using RedisSessions;

namespace WebFarm.Shop;

/// <summary>The cart: in the session, one number per product at <c>cart.items.{product}</c>.</summary>
internal static class Cart
{
    private const string Items = "cart.items";

    /// <summary>Increments commute: of two tabs that add at the same moment, both count, and neither waits.</summary>
    public static void Add(Session session, Product product) => session.Increment($"{Items}.{product.Id}");

    /// <summary>Takes one away. What happens depends on how many there are, so it is a transaction.</summary>
    public static ValueTask TakeAsync(Session session, Product product) => session.UpdateAsync(session =>
    {
        var key = $"{Items}.{product.Id}";
        if (session.Get<int>(key) > 1)
            session.Increment(key, -1);
        else
            session.Remove(key);
    });

    public static void Remove(Session session, Product product) => session.Remove($"{Items}.{product.Id}");

    public static IReadOnlyList<CartLine> Lines(Session session) =>
    [
        .. Catalog.Products.Select(product => new CartLine(product, session.Get<int>($"{Items}.{product.Id}")))
            .Where(static line => line.Quantity > 0),
    ];

    public static int Total(IReadOnlyList<CartLine> lines) => lines.Sum(static line => line.Cents);
}

internal sealed record CartLine(Product Product, int Quantity)
{
    public int Cents => Product.Cents * Quantity;
}
