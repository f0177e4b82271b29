using System.Globalization;
using System.Net.Http;

namespace WebFarm.Farm;

/// <summary>
/// nginx in front of the instances, started by <c>docker/nginx/start.sh</c> with the settings beside it. It reads who they are from a file, and asks each itself whether it
/// is ready. Requests that kill and start instances go to this process, as all do without nginx.
/// </summary>
internal sealed class NginxFront : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private readonly Fleet _fleet;
    private readonly FrontDoor _door;
    private readonly string _folder = Directory.CreateTempSubdirectory("web-farm-nginx-").FullName;
    private readonly Lock _lock = new();
    private Component? _component;

    private NginxFront(Fleet fleet, FrontDoor door) => (_fleet, _door) = (fleet, door);

    /// <summary>Its process.</summary>
    public int Pid => _component?.Pid ?? 0;

    /// <summary>What must be on the PATH for it.</summary>
    public static string[] Missing() => OperatingSystem.IsWindows() ? ["nginx"] : Machine.Missing("nginx", "curl", "getent", Component.Shell);

    /// <summary>Reads the one address that nginx can have, <c>http://host:port</c>.</summary>
    /// <exception cref="StartupException">It is another, or there are several.</exception>
    public static Uri Check(string urls) => !urls.Contains(';', StringComparison.Ordinal) && Uri.TryCreate(urls, UriKind.Absolute, out var url) && url.Scheme == "http"
        ? url
        : throw new StartupException($"--urls is {urls}: with nginx in front it must be one address, http://host:port.");

    /// <summary>The one address, <c>http://host:port</c>, with a port that is free where none was chosen.</summary>
    public static string Address(string urls)
    {
        var url = Check(urls);
        var port = url.Port == 0 ? Machine.FreePorts(1)[0] : url.Port;
        return string.Create(CultureInfo.InvariantCulture, $"http://{(url.Host == "localhost" ? "127.0.0.1" : url.Host)}:{port}");
    }

    /// <summary>Starts it, and waits until it answers.</summary>
    public static async Task<NginxFront> StartAsync(Fleet fleet, FrontDoor door, CancellationToken cancellationToken)
    {
        var nginx = new NginxFront(fleet, door);
        try
        {
            await nginx.StartAsync(cancellationToken);
            return nginx;
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _fleet.Changed -= Write;
        if (_component is not null)
            await _component.DisposeAsync();
        lock (_lock)
            Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // Started by root, nginx has its work done by another user. Nothing here is secret.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, File.GetUnixFileMode(_folder) | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var data = Directory.CreateDirectory(Path.Combine(_folder, "nginx")).FullName;
        Directory.CreateDirectory(Path.Combine(data, "server.d"));
        await File.WriteAllTextAsync(Path.Combine(data, "server.d", "instances.conf"), $$"""
            location /instances/ {
                proxy_pass {{_door.Own}};
            }

            """, cancellationToken);
        _fleet.Changed += Write;
        Write();
        var address = new Uri(_door.Address);
        _component = await Component.StartAsync("nginx", Path.Combine(Machine.Files("nginx"), "start.sh"), [], new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["APP_SERVERS_FILE"] = Path.Combine(_folder, "servers"),
            ["APP_VIEW_FILE"] = Path.Combine(_folder, "view"),
            // Several times in the second for which an instance that leaves goes on answering.
            ["HEALTH_INTERVAL"] = "0.2",
            ["LISTEN"] = address.Authority,
            ["NGINX_DATA"] = data,
        });

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(1) };
        try
        {
            while (!await AnswersAsync(client, new Uri(address, "balancer/health"), timeout.Token) || _component.HasExited)
            {
                if (_component.HasExited)
                    throw new StartupException($"nginx ended at once: {_component.Words("[emerg]")}");
                await Task.Delay(TimeSpan.FromMilliseconds(50), timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StartupException($"nginx was not ready after {StartTimeout.TotalSeconds:F0} seconds: {_component.LastWords}");
        }
    }

    private static async Task<bool> AnswersAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Nobody, or somebody else on this port.
            return false;
        }
    }

    private void Write()
    {
        lock (_lock)
        {
            if (!Directory.Exists(_folder))
                return;
            Replace("servers", string.Join('\n', _fleet.Addresses.Select(static address => new Uri(address).Authority)) + "\n");
            Replace("view", new FarmView(_door.Address, _fleet.Instances).ToJson() + "\n");
        }
    }

    /// <summary>At once: the script may be reading.</summary>
    private void Replace(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }
}
