using System.Diagnostics;
using System.Net.Sockets;
using RedisSessions.TestServers;

namespace PhpBridge.Bridge;

/// <summary>PHP, as nginx finds it behind a socket, with the sessions of a usual PHP site.</summary>
internal static class PhpFpm
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <param name="program">php-fpm.</param>
    /// <param name="site">The folder of this run.</param>
    /// <param name="sessions">PHP's settings for its sessions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ChildProcess> StartAsync(string program, SiteFolder site, IEnumerable<KeyValuePair<string, string>> sessions, CancellationToken cancellationToken)
    {
        var settings = string.Concat(sessions.Select(static setting => $"php_admin_value[{setting.Key}] = \"{setting.Value}\"\n"));
        // As whoever has started it, who also runs the .NET half: with files, both have to be able to read them. For root, php-fpm wants to be told.
        var user = Environment.IsPrivilegedProcess ? "user = root\ngroup = root\n" : "";
        var configuration = site.Write("php-fpm.conf", $"""
            [global]
            error_log = /dev/stderr
            daemonize = no
            log_level = warning
            [site]
            {user}listen = {site.Socket}
            listen.mode = 0600
            pm = static
            pm.max_children = 8
            catch_workers_output = yes
            {settings}
            """);
        var child = await ChildProcess.StartAsync(program, ["--nodaemonize", "--fpm-config", configuration, .. Environment.IsPrivilegedProcess ? (string[])["--allow-to-run-as-root"] : []], cancellationToken);
        await Poll.UntilAsync(() => child.HasExited || Listens(site.Socket), Patience, "php-fpm listens", cancellationToken);
        return child;
    }

    /// <summary>Whether PHP has an extension.</summary>
    public static async Task<bool> HasAsync(string program, string extension, CancellationToken cancellationToken)
    {
        using var php = Process.Start(new ProcessStartInfo(program, ["-m"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var modules = await php.StandardOutput.ReadToEndAsync(cancellationToken);
        await php.WaitForExitAsync(cancellationToken);
        return modules.Split('\n').Contains(extension, StringComparer.OrdinalIgnoreCase);
    }

    private static bool Listens(string path)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
