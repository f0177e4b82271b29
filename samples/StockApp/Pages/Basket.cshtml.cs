using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using StockApp.Shop;

namespace StockApp.Pages;

/// <summary>The cart.</summary>
public sealed class BasketModel : PageModel
{
    public Cart Cart => HttpContext.Session.GetJson<Cart>(Shop.Cart.Key) ?? new Cart();

    public IActionResult OnPost()
    {
        HttpContext.Session.Remove(Shop.Cart.Key);
        TempData["Message"] = "Your cart is empty.";
        return RedirectToPage();
    }
}
