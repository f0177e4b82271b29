using System.Diagnostics;
using System.Globalization;

namespace RedisSessions.TestServers;

/// <summary>
/// A database server of our own: a process on a free loopback port with a throw-away data directory, without flushing to disk. It can be stopped and started
/// again, on the same port and with what it held.
/// </summary>
public sealed class DatabaseProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly string _folder;
    private readonly string _stopSignal;
    private readonly string _readyMark;
    private readonly Func<string, int, string[]> _command;
    private ChildProcess? _child;

    private DatabaseProcess(string folder, string stopSignal, string readyMark, Func<string, int, string[]> command)
    {
        _folder = folder;
        _stopSignal = stopSignal;
        _readyMark = readyMark;
        _command = command;
    }

    public int Port { get; private set; }

    public int ProcessId => _child!.Id;

    /// <summary>Starts PostgreSQL, or gives null when this machine has none. As root it runs as the user postgres, because it refuses to be root.</summary>
    public static async Task<DatabaseProcess?> TryStartPostgresAsync(CancellationToken cancellationToken)
    {
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(version => version, StringComparer.Ordinal).Select(version => Path.Combine(version, "bin"))
            : [];
        if (ProgramPath.Find("postgres", debian) is not { } postgres || ProgramPath.Find("initdb", debian) is not { } initdb)
            return null;
        if (Environment.IsPrivilegedProcess && ProgramPath.Find("setpriv") is null)
            return null;
        string[] user = Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : [];
        var folder = Directory.CreateTempSubdirectory("postgres-").FullName;
        var data = Path.Combine(folder, "data");
        if (user.Length > 0)
            await RunAsync(["chown", "postgres:postgres", folder], cancellationToken);
        await RunAsync([.. user, initdb, "-D", data, "-U", "sessions", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"], cancellationToken);
        return await StartAnywhereAsync(
            new DatabaseProcess(folder, "INT", "ready to accept connections", (folder, port) =>
            [
                .. user, postgres, "-D", data, "-p", Text(port), "-h", "127.0.0.1", "-k", folder,
                "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=512MB", "-c", "log_min_messages=warning",
            ]),
            cancellationToken);
    }

    /// <summary>Starts MariaDB, or gives null when this machine has none.</summary>
    public static async Task<DatabaseProcess?> TryStartMariaDbAsync(CancellationToken cancellationToken)
    {
        if (ProgramPath.Find("mariadbd", "/usr/sbin") is not { } mariadbd || ProgramPath.Find("mariadb-install-db", "/usr/bin") is not { } install)
            return null;
        string[] user = Environment.IsPrivilegedProcess ? ["--user=root"] : [];
        var folder = Directory.CreateTempSubdirectory("mariadb-").FullName;
        var data = Path.Combine(folder, "data");
        await File.WriteAllTextAsync(Path.Combine(folder, "init.sql"), "CREATE DATABASE IF NOT EXISTS sessions;\n", cancellationToken);
        await RunAsync([install, "--no-defaults", $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db", .. user], cancellationToken);
        return await StartAnywhereAsync(
            new DatabaseProcess(folder, "TERM", "ready for connections", (folder, port) =>
            [
                mariadbd, "--no-defaults", $"--datadir={data}", $"--port={Text(port)}", "--bind-address=127.0.0.1", $"--socket={Path.Combine(folder, "socket")}",
                $"--init-file={Path.Combine(folder, "init.sql")}", "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=1G", "--max-connections=300", .. user,
            ]),
            cancellationToken);
    }

    /// <summary>Stops it in good order: its clients lose their connections, and nothing listens any more.</summary>
    public async Task StopAsync()
    {
        if (_child is null)
            return;
        await _child.SignalAsync(_stopSignal);
        await Poll.UntilAsync(() => _child.HasExited, Patience, "the database server has stopped", CancellationToken.None);
        await _child.DisposeAsync();
        _child = null;
    }

    /// <summary>SIGSTOP, for it and the processes it serves connections with: what is connected stays so, and nothing answers.</summary>
    public Task FreezeAsync() => _child!.SignalAllAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ThawAsync() => _child!.SignalAllAsync("CONT");

    /// <summary>Starts it again, on the same port and with what it held.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var child = await ChildProcess.StartAsync("/usr/bin/env", _command(_folder, Port), cancellationToken);
        try
        {
            await Poll.UntilAsync(
                () => child.HasExited || child.Output.Contains(_readyMark, StringComparison.Ordinal), Patience, "the database server is ready", cancellationToken);
            if (child.HasExited)
                throw new InvalidOperationException($"The database server ended at once.\n{child.Output}");
            _child = child;
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<DatabaseProcess> StartAnywhereAsync(DatabaseProcess server, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            server.Port = FreePort.Next();
            try
            {
                await server.StartAsync(cancellationToken);
                return server;
            }
            catch (InvalidOperationException) when (attempt < FreePort.Tries)
            {
                // Somebody else was faster on this port.
            }
        }
    }

    private static async Task RunAsync(string[] command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{command[0]} ended with {process.ExitCode}.\n{await output}\n{await error}");
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
