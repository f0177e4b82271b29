using System.Globalization;

namespace WebFarm.Shop;

/// <summary>What is for sale, and the cart.</summary>
internal static class ShopView
{
    public static Html Render(PageModel page) => Html.Of($"""
        <div class="shop">
          <section class="panel" aria-labelledby="products-title">
            <h2 id="products-title">Coffee corner</h2>
            <ul class="products">{Html.Each(Catalog.Products, product => ProductItem(page, product))}</ul>
          </section>
          <section class="panel" id="cart" aria-labelledby="cart-title">
            <h2 id="cart-title">Your cart</h2>
            {CartTable(page, Cart.Lines(page.Session))}
          </section>
        </div>
        """);

    private static Html ProductItem(PageModel page, Product product) => Html.Of($"""
        <li>
          <div><strong>{product.Name}</strong><br><span class="muted">{product.Description}</span></div>
          <span class="price">{Money(product.Cents)}</span>
          {Page.Form(page, "/cart/add", AddButton(product))}
        </li>
        """);

    private static Html AddButton(Product product) =>
        Html.Of($"""<button name="product" value="{product.Id}" aria-label="Add {product.Name} to the cart">Add</button>""");

    private static Html CartTable(PageModel page, IReadOnlyList<CartLine> lines) => lines.Count == 0
        ? Html.Of($"""<p class="muted">Nothing in it yet.</p>""")
        : Html.Of($"""
            <table>
              <thead><tr><th scope="col">Product</th><th scope="col">Quantity</th><th scope="col" class="number">Price</th></tr></thead>
              <tbody>{Html.Each(lines, line => CartRow(page, line))}</tbody>
              <tfoot><tr><th scope="row" colspan="2">Total</th><td class="number" id="total">{Money(Cart.Total(lines))}</td></tr></tfoot>
            </table>
            """);

    private static Html CartRow(PageModel page, CartLine line) => Html.Of($"""
        <tr>
          <th scope="row">
            {line.Product.Name}
            <div class="remove">{CartButton(page, "/cart/remove", line, "Remove", $"Remove {line.Product.Name}", "link")}</div>
          </th>
          <td><div class="quantity">
            {CartButton(page, "/cart/take", line, "−", $"One {line.Product.Name} less", "step")}
            <span>{line.Quantity}</span>
            {CartButton(page, "/cart/more", line, "+", $"One {line.Product.Name} more", "step")}
          </div></td>
          <td class="number">{Money(line.Cents)}</td>
        </tr>
        """);

    private static Html CartButton(PageModel page, string action, CartLine line, string text, string label, string style) =>
        Page.Form(page, action, Html.Of($"""<button class="{style}" name="product" value="{line.Product.Id}" aria-label="{label}">{text}</button>"""));

    private static string Money(int cents) => string.Create(CultureInfo.InvariantCulture, $"€ {cents / 100}.{cents % 100:00}");
}
