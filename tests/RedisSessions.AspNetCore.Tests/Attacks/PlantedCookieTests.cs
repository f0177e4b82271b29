using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Primitives;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>
/// A sibling host sets a cookie whose name a browser takes for another one, and a careless server for the protected one. What Chromium lets a sibling
/// host set is tried in the tests of the web farm, where a browser is.
/// </summary>
public sealed class PlantedCookieTests(StoreFixture store)
{
    private const string Name = "__Host-session";

    private static void Endpoints(WebApplication app)
    {
        app.MapGet("/login", (Session session) => session["account.current_user_id"] = 42);
        app.MapGet("/user", (Session session) => $"[{session["account.current_user_id"]}]");
    }

    /// <summary>Names that are not ours, and what may stand for a name or around it.</summary>
    public static TheoryData<string> Others =>
    [
        "__host-session=x", "__HOST-SESSION=x", "__Host-Session=x", "__Host-sessions=x", "__Host-session =x", "__Host-session\u2000=x", "__Host-session",
        "__Host-session\u00a0", "=", "==__Host-session=x", "%5F%5FHost-session=x", "__Host%2Dsession=x", "\"__Host-session=x\"", "'__Host-session=x'",
        "\"__Host-session\"=x", "..Host-session=x", "__Host.session=x", "__Host session=x", "_\u00adHost-session=x", "\uff3f\uff3fHost-session=x",
        "__Host\u2010session=x", "a=b, __Host-session=x", "a=b,__Host-session=x", "a=\"b; c\" __Host-session=x", "$Version=1,__Host-session=x",
        "session=x", "__Secure-session=x", "[__Host-session=x", "__Host-session[]=x", "a=__Host-session=x", "\0__Host-session=x",
    ];

    [Fact]
    public void Of_all_characters_before_the_name_only_space_and_tab_are_taken_off()
    {
        List<int> takenOff = [];
        for (var c = 0; c <= char.MaxValue; c++)
        {
            if (Values($"{(char)c}{Name}=x").Count > 0)
                takenOff.Add(c);
            // The value is what stands there, up to the next semicolon.
            Assert.Equal(c is ' ' or '\t' or ';' ? ["x"] : (string[])[$"x{(char)c}"], Values($"{Name}=x{(char)c}"));
        }

        Assert.Equal(['\t', ' ', ';'], takenOff);
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void A_name_that_only_looks_like_it_is_another_name(string header)
    {
        Assert.Empty(Values(header));
        Assert.Equal(["mine"], Values($"{header}; {Name}=mine"));
        Assert.Equal(["mine"], Values($"{Name}=mine; {header}"));
        Assert.Equal(["mine", "other"], Values($"{Name}=mine;", header, $"\t {Name}=other \t"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task White_space_before_the_name_plants_nothing_in_whatever_encoding_the_server_reads_headers(bool latin1)
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, environment: "Production", configure: builder =>
        {
            if (latin1)
                builder.WebHost.ConfigureKestrel(static kestrel => kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1);
        });
        using var attacker = new Browser(app.Address) { CookieName = Name };
        using var victim = new Browser(app.Address) { CookieName = Name };
        await attacker.GetAsync("/login");
        await victim.GetAsync("/login");
        var spaces = Enumerable.Range(0x80, char.MaxValue - 0x80).Select(static c => (char)c).Where(char.IsWhiteSpace).Append('\u200b').Append('\ufeff').ToArray();
        Assert.True(spaces.Length > 15);
        foreach (var space in spaces)
        {
            // The client sends each character as one byte: here are those of the UTF-8 form, or the one byte that Latin-1 has for it.
            var bytes = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes([space]));
            foreach (var before in latin1 && space <= byte.MaxValue ? [bytes, space.ToString()] : (string[])[bytes])
            {
                var planted = $"{before}{Name}={attacker.Id}";
                Assert.Equal("[]", (await victim.SendAsync("/user", planted)).Body);
                // Beside the visitor's own cookie it is nothing either: neither the session nor a reason to doubt it.
                Assert.Equal("[42]", (await victim.SendAsync("/user", $"{planted}; {Name}={victim.Id}")).Body);
            }
        }
    }

    /// <summary>
    /// Browsers from before 2023 let a sibling host set a cookie without a name whose value is <c>__Host-session=…</c>, and send it without the sign in front.
    /// It is byte for byte the cookie that the host itself has set, so a server can doubt it only where both come.
    /// </summary>
    [Fact]
    public async Task A_cookie_without_a_name_that_an_old_browser_sends_as_ours_makes_both_worthless()
    {
        await using var app = await SessionApp.StartAsync(store, Endpoints, environment: "Production");
        using var attacker = new Browser(app.Address) { CookieName = Name };
        using var victim = new Browser(app.Address) { CookieName = Name };
        await attacker.GetAsync("/login");
        await victim.GetAsync("/login");
        // As such a browser writes it into the header: without a name, and without the sign.
        var planted = $"{Name}={attacker.Id}";
        Assert.Equal("[]", (await victim.SendAsync("/user", $"{Name}={victim.Id}; {planted}")).Body);
        Assert.Equal("[]", (await victim.SendAsync("/user", $"{planted}; {Name}={victim.Id}")).Body);
        await app.Logs.HaveAsync("several session cookies");
        // With the sign, as no browser sends it, it is no cookie of ours.
        Assert.Equal("[42]", (await victim.SendAsync("/user", $"={planted}; {Name}={victim.Id}")).Body);
    }

    private static List<string> Values(params string[] headers)
    {
        List<string> values = [];
        foreach (var value in new CookieValues(new StringValues(headers), Name))
            values.Add(value.ToString());
        return values;
    }
}
