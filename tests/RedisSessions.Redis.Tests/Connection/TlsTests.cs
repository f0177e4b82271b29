using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RedisSessions.TestServers;
using StackExchange.Redis;

namespace RedisSessions.Redis.Tests.Connection;

/// <summary>TLS against a real server, with certificates of our own making.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tls-").FullName;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _client;

    public TlsTests()
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Authority of the tests", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = authority.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        File.WriteAllText(At("ca.pem"), _authority.ExportCertificatePem());
        using var server = Issue("CN=localhost", "server", names => names.AddDnsName("localhost"));
        _client = Issue("CN=sessions", "client", names => names.AddDnsName("sessions"));
    }

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_the_authority_known_and_a_certificate_of_its_own_the_client_is_let_in()
    {
        var (redis, port) = await StartAsync();
        await using var _ = redis;
        await using var instance = Instance.Create(Configuration(port, "localhost"), options =>
        {
            options.Timeout = TimeSpan.FromSeconds(10);
            options.ConfigureClient = client =>
            {
                client.TrustIssuer(_authority);
                client.CertificateSelection += (_, _, _, _, _) => _client;
                return Task.CompletedTask;
            };
        });
        await instance.StartAsync(CancellationToken);

        var id = await instance.Manager().CreateSessionAsync("n", 7, CancellationToken);
        Assert.Equal(7, await instance.Manager().CountAsync(id, "n", CancellationToken));
    }

    [Theory]
    [InlineData("localhost", false, true)]
    [InlineData("elsewhere.example", true, true)]
    [InlineData("localhost", true, false)]
    public async Task An_unknown_authority_a_wrong_name_and_a_client_without_a_certificate_are_refused(string host, bool trusted, bool certificate)
    {
        var (redis, port) = await StartAsync();
        await using var _ = redis;
        await using var instance = Instance.Create(Configuration(port, host), options =>
        {
            options.Timeout = TimeSpan.FromSeconds(1);
            options.SelfTest = false;
            options.ConfigureClient = client =>
            {
                if (trusted)
                    client.TrustIssuer(_authority);
                if (certificate)
                    client.CertificateSelection += (_, _, _, _, _) => _client;
                return Task.CompletedTask;
            };
        });

        var failure = await Assert.ThrowsAsync<SessionStoreException>(() => SelfTestTests.ReadAsync(instance));
        Assert.Contains("(no_connection,", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Configuration(int port, string host) =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port},ssl=true,sslHost={host},checkCertificateRevocation=false");

    private async Task<(RedisProcess Redis, int Port)> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            try
            {
                var redis = await RedisProcess.TryStartAsync(
                    [
                        "--tls-port", port.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", At("server.pem"), "--tls-key-file", At("server.key"),
                        "--tls-ca-cert-file", At("ca.pem"), "--tls-auth-clients", "yes",
                    ], CancellationToken);
                Assert.SkipWhen(redis is null, "no redis-server on the PATH: TLS is tried on a server of our own");
                return (redis!, port);
            }
            catch (InvalidOperationException) when (attempt < FreePort.Tries)
            {
                // Somebody else was faster on the second port.
            }
        }
    }

    private X509Certificate2 Issue(string subject, string file, Action<SubjectAlternativeNameBuilder> name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        name(names);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(At(file + ".pem"), signed.ExportCertificatePem());
        File.WriteAllText(At(file + ".key"), key.ExportPkcs8PrivateKeyPem());
        return signed.CopyWithPrivateKey(key);
    }

    private string At(string file) => Path.Combine(_folder, file);
}
