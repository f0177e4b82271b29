using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace RedisSessions.TestServers;

/// <summary>
/// One php that runs for the length of a test and does what it is sent, line by line: one request after another, as a worker of php-fpm would, without starting a process for each. It
/// ends with its standard input, so with this process, however this one ends.
/// </summary>
public sealed class PhpProcess : IAsyncDisposable
{
    /// <summary>What is said where there is no PHP.</summary>
    public const string None = "no PHP: php is not on the PATH (Debian: php-cli).";

    // What is sent is PHP code in base64, and so is what it returns. Nothing else may be written to the output: PHP would take the headers of a page for sent.
    private const string Worker = """
        while (($line = fgets(STDIN)) !== false) {
            try {
                $answer = 'ok ' . base64_encode((string) eval(base64_decode($line)));
            } catch (Throwable $e) {
                $answer = 'no ' . base64_encode(get_class($e) . ': ' . $e->getMessage() . ' in line ' . $e->getLine());
            }
            fwrite(STDOUT, $answer . "\n");
        }
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _php;
    private readonly StringBuilder _errors = new();

    private PhpProcess(Process php) => _php = php;

    /// <summary>Where php is, or null when this machine has none.</summary>
    public static string? Program => ProgramPath.Find("php");

    /// <summary>Whether that php has an extension that Debian has in a package of its own.</summary>
    public static bool HasExtension(string name)
    {
        using var php = Process.Start(new ProcessStartInfo(Program ?? throw new InvalidOperationException(None), ["-m"]) { RedirectStandardOutput = true });
        return php!.StandardOutput.ReadToEnd().Split('\n').Contains(name, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Starts php.</summary>
    /// <param name="settings">As in php.ini: <c>session.save_handler=redis</c>. Warnings of PHP become exceptions of what was sent.</param>
    public static PhpProcess Start(params string[] settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var start = new ProcessStartInfo(Program ?? throw new InvalidOperationException(None))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var setting in (string[])["session.use_cookies=0", "session.cache_limiter=", "session.gc_probability=0", "display_errors=stderr", .. settings])
        {
            start.ArgumentList.Add("-d");
            start.ArgumentList.Add(setting);
        }

        start.ArgumentList.Add("-r");
        start.ArgumentList.Add("set_error_handler(function ($n, $m) { throw new ErrorException($m); });" + Worker);
        var php = new PhpProcess(Process.Start(start) ?? throw new InvalidOperationException("php could not be started."));
        php._php.ErrorDataReceived += (_, line) =>
        {
            lock (php._errors)
                php._errors.AppendLine(line.Data);
        };
        php._php.BeginErrorReadLine();
        return php;
    }

    /// <summary>Runs code.</summary>
    /// <param name="code">Ends with <c>return</c> and a string, if the answer matters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The bytes of the string.</returns>
    /// <exception cref="InvalidOperationException">PHP threw something, or has ended.</exception>
    public async Task<byte[]> RunAsync(string code, CancellationToken cancellationToken)
    {
        await _php.StandardInput.WriteLineAsync(Convert.ToBase64String(Encoding.UTF8.GetBytes(code)).AsMemory(), cancellationToken);
        await _php.StandardInput.FlushAsync(cancellationToken);
        var answer = await _php.StandardOutput.ReadLineAsync(cancellationToken).AsTask().WaitAsync(Patience, cancellationToken);
        var bytes = answer is { Length: >= 3 } ? Convert.FromBase64String(answer[3..]) : [];
        if (answer is ['o', 'k', ..])
            return bytes;
        lock (_errors)
            throw new InvalidOperationException(answer is null ? $"php has ended: {_errors}" : $"php: {Encoding.UTF8.GetString(bytes)} {_errors}");
    }

    /// <summary>Runs code whose answer is text.</summary>
    public async Task<string> TextAsync(string code, CancellationToken cancellationToken) => Encoding.UTF8.GetString(await RunAsync(code, cancellationToken));

    /// <summary>Runs code whose answer is a number.</summary>
    public async Task<long> NumberAsync(string code, CancellationToken cancellationToken) =>
        long.Parse(await TextAsync(code, cancellationToken), CultureInfo.InvariantCulture);

    /// <summary>Bytes as an expression of PHP.</summary>
    public static string Quote(ReadOnlySpan<byte> bytes) => $"base64_decode('{Convert.ToBase64String(bytes)}')";

    public async ValueTask DisposeAsync()
    {
        _php.StandardInput.Close();
        try
        {
            await _php.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            _php.Kill();
        }

        _php.Dispose();
    }
}
