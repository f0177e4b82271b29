using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using StockApp.Shop;

namespace StockApp.Pages;

/// <summary>The wall of posters. Adding one reads the cart, changes it and writes it back, as such code does.</summary>
public sealed class IndexModel : PageModel
{
    public IActionResult OnPost(string? sku)
    {
        if (Catalogue.Find(sku) is not { } print)
            return NotFound();
        var cart = HttpContext.Session.GetJson<Cart>(Cart.Key) ?? new Cart();
        cart.Add(print);
        HttpContext.Session.SetJson(Cart.Key, cart);
        TempData["Message"] = $"{print.Title} is in your cart.";
        return RedirectToPage();
    }
}
