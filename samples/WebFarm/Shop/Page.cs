using RedisSessions;
using WebFarm.Farm;
using WebFarm.Race;

namespace WebFarm.Shop;

/// <summary>What the page is about: who answers, and whose session it is.</summary>
internal sealed record PageModel(string Instance, FarmView? Farm, Session Session, bool HasLoggedOut)
{
    /// <summary>Read once: looking up the token makes it when there is none.</summary>
    public string Token { get; } = FormToken.For(Session);
}

/// <summary>The one page, drawn on the server. It works without scripts: there are none.</summary>
internal static class Page
{
    public static Html Render(PageModel page) => Html.Of($"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>Web farm: a shop on three instances</title>
          <link rel="icon" href="data:,">
          <link rel="stylesheet" href="/site.css">
        </head>
        <body>
        <a class="skip" href="#main">Skip to the shop</a>
        <header>
          <div class="wide bar">
            <p class="brand">RedisSessions <span>web farm</span></p>
            <p class="answered">
              Answered by <strong class="badge" id="instance">{page.Instance}</strong> <span class="muted">pid <span id="pid">{Environment.ProcessId}</span></span>
            </p>
          </div>
        </header>
        <main id="main" class="wide">
          <h1>A shop on three instances, one session</h1>
          <p class="lead">Each request goes to the next of three processes. Reload, and another one answers; your session stays.</p>
          {Message(page)}
          <div class="columns">
            {ShopView.Render(page)}
            <div class="side">
              {SessionView.Render(page)}
              {(page.Farm is null ? Html.Empty : FarmPanel.Render(page))}
            </div>
          </div>
          {(page.Farm is null ? Html.Empty : RaceView.Render(page))}
        </main>
        <footer class="wide muted">Drawn by instance {page.Instance}. No scripts, nothing loaded from elsewhere.</footer>
        </body>
        </html>
        """);

    /// <summary>A form that changes something, with the session's token in it.</summary>
    public static Html Form(PageModel page, string action, Html content) => Html.Of($"""
        <form method="post" action="{action}"><input type="hidden" name="{FormToken.Field}" value="{page.Token}">{content}</form>
        """);

    private static Html Message(PageModel page)
    {
        var message = page.Session.Get<string>("message")
            ?? (page.HasLoggedOut ? "Logged out. The old session is destroyed, and nothing brings it back. You have a new, empty one." : null);
        return message is null ? Html.Empty : Html.Of($"""<p class="message" role="status" id="message">{message}</p>""");
    }
}
