using Microsoft.AspNetCore.Mvc.RazorPages;
using PhpBridge.Site;
using RedisSessions;

namespace PhpBridge.Pages;

/// <summary>A page that has moved. What it shows was written by either half.</summary>
public sealed class ProfileModel(Session session) : PageModel
{
    public string? Message { get; private set; }

    public string Token { get; private set; } = "";

    public string? Name => session.Get<string>("account.name");

    public string? LoggedInBy => session.Get<string>("account.logged_in_by");

    public string? Motto => session.Get<string>("profile.motto");

    public string? City => session.Get<string>("profile.city");

    public long VisitsByPhp => session.Get<long>("visits.php");

    public long VisitsByNet => session.Get<long>("visits.net");

    public string Fingerprint => Account.Fingerprint(session);

    // In a transaction: of two pages that load at once, one shows the message.
    public async Task OnGetAsync() => await session.UpdateAsync(
        session =>
        {
            Token = FormToken.For(session);
            Message = session.Pull<string>("message");
        },
        HttpContext.RequestAborted);
}
