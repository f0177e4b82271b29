using System.Globalization;
using RedisSessions.TestServers;

namespace PhpBridge.Bridge;

/// <summary>The one address: what has moved goes to .NET, all else to PHP.</summary>
internal static class Nginx
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <param name="program">nginx.</param>
    /// <param name="site">The folder of this run.</param>
    /// <param name="dotnet">Where the .NET half listens.</param>
    /// <param name="port">Where to listen; null for any free port.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<(ChildProcess Child, Uri Address)> StartAsync(string program, SiteFolder site, Uri dotnet, int? port, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port ?? FreePort.Next()}"));
            var configuration = site.Write("nginx.conf", Configuration(site, dotnet, address));
            var child = await ChildProcess.StartAsync(program, ["-p", site.Path, "-e", "stderr", "-c", configuration], cancellationToken);
            await Poll.UntilAsync(async () => child.HasExited || await AnswersAsync(address, cancellationToken), Patience, "nginx answers", cancellationToken);
            if (!child.HasExited)
                return (child, address);
            var output = child.Output;
            await child.DisposeAsync();
            if (!output.Contains("Address already in use", StringComparison.Ordinal))
                throw new StartupException($"nginx does not start: {output.ReplaceLineEndings(" ")}");
            if (port is not null)
                throw new StartupException($"Port {port} is in use: end what uses it, or choose another with --port.");
            if (attempt == FreePort.Tries)
                throw new StartupException("No free port was found for nginx.");
        }
    }

    private static string Configuration(SiteFolder site, Uri dotnet, Uri address)
    {
        var php = Path.Combine(AppContext.BaseDirectory, "php", "index.php");
        var assets = Path.Combine(AppContext.BaseDirectory, "wwwroot");
        // As whoever has started it: nothing here listens on more than loopback.
        var user = Environment.IsPrivilegedProcess ? "user root root;\n" : "";
        return $$"""
            {{user}}daemon off;
            worker_processes 1;
            pid {{site.Path}}/nginx.pid;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{site.Path}}/body;
              proxy_temp_path {{site.Path}}/proxy;
              fastcgi_temp_path {{site.Path}}/fastcgi;
              uwsgi_temp_path {{site.Path}}/uwsgi;
              scgi_temp_path {{site.Path}}/scgi;
              client_max_body_size 64k;
              server {
                listen {{address.Authority}};
                location = /site.css { root "{{assets}}"; types { text/css css; } }

                # What has moved. A page moves by getting a line here.
                location /net/ {
                  proxy_pass {{dotnet.GetLeftPart(UriPartial.Authority)}};
                  proxy_set_header Host $http_host;
                  proxy_set_header X-Forwarded-Proto $scheme;
                }

                # What has not.
                location / {
                  fastcgi_pass unix:{{site.Socket}};
                  fastcgi_param SCRIPT_FILENAME "{{php}}";
                  fastcgi_param REQUEST_METHOD $request_method;
                  fastcgi_param REQUEST_URI $request_uri;
                  fastcgi_param QUERY_STRING $query_string;
                  fastcgi_param CONTENT_TYPE $content_type;
                  fastcgi_param CONTENT_LENGTH $content_length;
                  fastcgi_param SERVER_PROTOCOL $server_protocol;
                  fastcgi_param HTTPS $https if_not_empty;
                }
              }
            }

            """;
    }

    /// <summary>Whether both halves answer through it.</summary>
    private static async Task<bool> AnswersAsync(Uri address, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            foreach (var page in (string[])["/site.css", "/session.json", "/net/session.json"])
            {
                using var answer = await client.GetAsync(page, cancellationToken);
                if (!answer.IsSuccessStatusCode)
                    return false;
            }

            return true;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
