namespace WebFarm.Shop;

/// <summary>Who is logged in, and the id that changes with that.</summary>
internal static class SessionView
{
    public static Html Render(PageModel page) => Html.Of($"""
        <section class="panel" aria-labelledby="session-title">
          <h2 id="session-title">Your session</h2>
          <dl>
            <dt>Id</dt><dd>{Fingerprint(page)}</dd>
            <dt>User</dt><dd id="user">{Account.Name(page.Session) ?? "nobody"}</dd>
          </dl>
          {(Account.Name(page.Session) is null ? LogIn(page) : LogOut(page))}
          <p class="muted small">Shown are the first characters of the id's SHA-256, which is also the name of the record in Redis.</p>
        </section>
        """);

    private static Html Fingerprint(PageModel page)
    {
        var now = Html.Of($"""<code id="session-id">{Account.Fingerprint(page.Session)}</code>""");
        return page.Session.Get<string>("account.before") is { } before
            ? Html.Of($"""<del><code id="former-id">{before}</code></del> <span aria-hidden="true">→</span> {now}""")
            : now;
    }

    private static Html LogIn(PageModel page) => Page.Form(page, "/login", Html.Of($"""
        <label for="name">Your name</label>
        <div class="row"><input id="name" name="name" required maxlength="40" autocomplete="username"><button>Log in</button></div>
        """));

    private static Html LogOut(PageModel page) => Page.Form(page, "/logout", Html.Of($"""<button class="quiet">Log out</button>"""));
}
