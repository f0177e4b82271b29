using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RedisSessions.TestServers;

/// <summary>
/// A redis-server of our own: a process on a free loopback port, in a temporary folder, that stores nothing on disk unless its settings say so. It
/// can be killed and started again on the same port, and stopped and continued.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly string _program;
    private readonly string _folder;
    private readonly string[] _settings;
    private ChildProcess _child = null!;

    private RedisProcess(string program, string[] settings)
    {
        _program = program;
        _settings = settings;
        _folder = Directory.CreateTempSubdirectory("redis-").FullName;
    }

    public int Port { get; private set; }

    public int ProcessId => _child.Id;

    /// <summary>What StackExchange.Redis needs to find it: <c>127.0.0.1:port</c>.</summary>
    public string Configuration => $"127.0.0.1:{Port}";

    /// <summary>Where redis-server is, or null when this machine has none.</summary>
    public static string? Program => ProgramPath.Find("redis-server");

    /// <summary>Starts a server, or gives null when there is no redis-server on the PATH.</summary>
    /// <param name="settings">As on the command line: <c>--requirepass</c>, <c>secret</c>, …</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<RedisProcess?> TryStartAsync(string[] settings, CancellationToken cancellationToken)
    {
        if (Program is not { } program)
            return null;
        var redis = new RedisProcess(program, settings);
        for (var attempt = 1; ; attempt++)
        {
            redis.Port = FreePort.Next();
            try
            {
                await redis.StartAsync(cancellationToken);
                return redis;
            }
            catch (InvalidOperationException) when (attempt < FreePort.Tries)
            {
                // Somebody else was faster on this port.
            }
        }
    }

    /// <summary>kill -9: what it held in memory is gone.</summary>
    public Task KillAsync() => _child.KillAsync();

    /// <summary>Starts it again on the same port: empty, or with what its settings made it store. It has answered PING when this returns.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await _child.DisposeAsync();
        await StartAsync(cancellationToken);
    }

    /// <summary>SIGSTOP: its connections stay open and nothing answers.</summary>
    public Task StopAsync() => _child.SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ContinueAsync() => _child.SignalAsync("CONT");

    /// <summary>Has redis-cli send it a command.</summary>
    public Task<string> AskAsync(string[] command, CancellationToken cancellationToken) =>
        RedisCli.RunAsync(["-p", Port.ToString(CultureInfo.InvariantCulture), .. command], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder,
            "--save", "", "--appendonly", "no", "--daemonize", "no", .. _settings,
        ];
        _child = await ChildProcess.StartAsync(_program, arguments, cancellationToken);
        try
        {
            await Poll.UntilAsync(
                async () => _child.HasExited || await AnswersAsync(Port, cancellationToken), Patience, "redis-server answers", cancellationToken);
            // Something answers; when our process has ended, it is somebody else's server on the same port.
            if (_child.HasExited)
                throw new InvalidOperationException($"redis-server ended at once.\n{_child.Output}");
        }
        catch
        {
            await _child.DisposeAsync();
            throw;
        }
    }

    /// <summary>Any answer to PING counts: also that a password is due.</summary>
    public static async Task<bool> AnswersAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
            var answer = new byte[64];
            var length = await client.GetStream().ReadAsync(answer, cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(1), cancellationToken);
            var text = Encoding.ASCII.GetString(answer, 0, length);
            return text.StartsWith("+PONG", StringComparison.Ordinal) || text.StartsWith("-NOAUTH", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is SocketException or IOException or TimeoutException)
        {
            return false;
        }
    }
}
