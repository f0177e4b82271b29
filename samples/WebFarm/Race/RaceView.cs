using System.Globalization;
using WebFarm.Shop;

namespace WebFarm.Race;

/// <summary>The race: the button, both pieces of code, and what was kept and lost.</summary>
internal static class RaceView
{
    private static readonly string FrameworkCode = Snippet.Read("framework"), OurCode = Snippet.Read("redis-sessions");

    public static Html Render(PageModel page)
    {
        var result = page.Session.Get<RaceResult>("race");
        return Html.Of($"""
            <section class="panel race" id="race" aria-labelledby="race-title">
              <div class="race-head">
                <div>
                  <h2 id="race-title">The race</h2>
                  <p>50 requests at once, through the balancer, each adding one to a number in the same session.</p>
                </div>
                {Page.Form(page, "/race", Html.Of($"""<button>{(result is null ? "Run the race" : "Run it again")}</button>"""))}
              </div>
              <div class="lanes">
                {Lane("framework", "ASP.NET Core's own session", "AddSession over AddStackExchangeRedisCache", FrameworkCode, result?.Framework)}
                {Lane("ours", "RedisSessions", "AddRedisSessions().AddRedis()", OurCode, result?.RedisSessions)}
              </div>
            </section>
            """);
    }

    private static Html Lane(string id, string title, string registration, string code, Lap? lap) => Html.Of($"""
        <article class="lane" id="{id}" aria-labelledby="{id}-title">
          <h3 id="{id}-title">{title}</h3>
          <p class="muted small"><code>{registration}</code></p>
          {(lap is null ? Html.Of($"""<p class="muted not-run">Not run yet.</p>""") : Outcome(lap))}
          <pre tabindex="0" aria-label="Code of {title}"><code>{code}</code></pre>
        </article>
        """);

    private static Html Outcome(Lap lap) => Html.Of($"""
        <p class="score"><strong>{lap.Kept}</strong> of {lap.Answered} kept, {Losses(lap)}</p>
        {Bar(lap)}
        <p class="muted small">{lap.Answered} of {lap.Sent} were answered “stored” in {lap.Milliseconds} ms: {lap.Instances}.</p>
        """);

    private static Html Losses(Lap lap) =>
        lap.Lost == 0 ? Html.Of($"none lost") : Html.Of($"""<span class="lost">{lap.Lost} lost</span>""");

    private static Html Bar(Lap lap)
    {
        var kept = Percent(lap.Kept, lap.Sent);
        var lost = Percent(lap.Lost, lap.Sent);
        return Html.Of($"""
            <svg class="bar-chart" role="img" aria-label="{lap.Kept} kept, {lap.Lost} lost" width="100%" height="36">
              <rect class="track" width="100%" height="36" rx="6"/>
              <rect class="kept-part" width="{kept}%" height="36" rx="6"/>
              <rect class="lost-part" x="{kept}%" width="{lost}%" height="36" rx="6"/>
            </svg>
            """);
    }

    private static string Percent(int part, int whole) => (100.0 * part / whole).ToString("F1", CultureInfo.InvariantCulture);
}
