using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace RedisSessions.WebFarm.Tests.Attacks;

/// <summary>Two hosts of one domain over TLS: a shop with sessions, and a neighbour that sets whatever cookies it is told to.</summary>
internal sealed class SiblingHosts : IAsyncDisposable
{
    public const string Parent = "shop.example", Shop = $"www.{Parent}", Neighbour = $"neighbour.{Parent}";

    private readonly WebApplication _app;
    private readonly string _folder;

    private SiblingHosts(WebApplication app, string folder) => (_app, _folder) = (app, folder);

    /// <summary>What a browser needs to find both hosts here.</summary>
    public static string ResolverFlag => $"--host-resolver-rules=MAP *.{Parent} 127.0.0.1";

    private int Port => new Uri(_app.Urls.Single()).Port;

    /// <param name="headers">How the server reads and writes the bytes of headers.</param>
    public static async Task<SiblingHosts> StartAsync(Encoding headers)
    {
        var folder = Directory.CreateTempSubdirectory("siblings-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Sessions:File:Path", (string?)folder)]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.RequestHeaderEncodingSelector = _ => headers;
            kestrel.ResponseHeaderEncodingSelector = _ => headers;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(Certificate()));
        });
        builder.Services.AddRedisSessions();
        var app = builder.Build();
        // The neighbour is another application: it has nothing of the shop's but the domain.
        app.MapWhen(static context => context.Request.Host.Host == Neighbour, static neighbour => neighbour.Run(static context =>
        {
            if (context.Request.Query["cookie"].ToString() is { Length: > 0 } cookie)
                context.Response.Headers.SetCookie = cookie;
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync("<title>neighbour</title>");
        }));
        app.UseRedisSessions();
        app.MapGet("/login", (Session session, int user) =>
        {
            session["user"] = user;
            return session.Id;
        });
        app.MapGet("/user", (Session session) => $"[{session["user"]}]");
        app.MapGet("/cookies", (HttpContext context) => Convert.ToHexString(headers.GetBytes(context.Request.Headers.Cookie.ToString())))
            .WithSessionAccess(SessionAccess.None);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new SiblingHosts(app, folder);
    }

    public string AtShop(string path) => $"https://{Shop}:{Port}{path}";

    public string AtNeighbour(string path) => $"https://{Neighbour}:{Port}{path}";

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Parent}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName($"*.{Parent}");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
