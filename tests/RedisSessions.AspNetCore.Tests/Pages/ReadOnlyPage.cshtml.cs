using Microsoft.AspNetCore.Mvc.RazorPages;

namespace RedisSessions.AspNetCore.Tests.Pages;

/// <summary>A page as a layout makes them: it looks for a message.</summary>
[SessionAccess(SessionAccess.ReadOnly)]
public sealed class ReadOnlyPage : PageModel
{
    public bool IsReadOnly => HttpContext.GetSession().IsReadOnly;
}
