using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace StockApp.Pages;

/// <summary>Signs in whoever has a name: this is about sessions, not about passwords.</summary>
public sealed class SignInModel : PageModel
{
    public IActionResult OnPost(string? name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > 40)
            return Page();
        HttpContext.Session.SetString("user", name.Trim());
        TempData["Message"] = $"Welcome, {name.Trim()}.";
        return RedirectToPage("/Index");
    }

    public IActionResult OnPostOut()
    {
        HttpContext.Session.Clear();
        return RedirectToPage("/Index");
    }
}
