using System.Diagnostics;
using System.Text.Json;

namespace RedisSessions.AspNetCore.Tests.Laravel;

/// <summary>Laravel's cookie middleware in a PHP of its own, where this machine has both.</summary>
internal sealed class Php : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process _process;

    private Php(Process process) => _process = process;

    public static Php StartLaravel()
    {
        if (!File.Exists("/usr/share/php/Illuminate/Cookie/autoload.php") || !File.Exists("/usr/share/php/Illuminate/Encryption/autoload.php") || !File.Exists("/usr/bin/php"))
            Assert.Skip("Laravel's cookies: php-illuminate-cookie and php-illuminate-encryption are not installed");
        return new Php(Process.Start(new ProcessStartInfo("/usr/bin/php", ["-d", "error_reporting=E_ALL & ~E_DEPRECATED", Path.Combine(LaravelVector.Folder, "cookies.php")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!);
    }

    public async Task<string?> AskAsync(Order order)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order, JsonSerializerOptions.Web));
        await _process.StandardInput.FlushAsync();
        var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);
        return JsonSerializer.Deserialize<string?>(line ?? throw new InvalidOperationException("PHP ended without an answer."));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(Patience))
            _process.Kill();
        _process.Dispose();
    }

    /// <summary>One line to <c>cookies.php</c>.</summary>
    public sealed record Order(string Do, string Cipher, string Key, bool Serialize, string Name, string Value);
}
