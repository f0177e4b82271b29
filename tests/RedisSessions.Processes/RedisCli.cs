using System.Diagnostics;

namespace RedisSessions.TestServers;

/// <summary>The tool of an operator: asks servers and sentinels, makes clusters, moves slots.</summary>
public static class RedisCli
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Where it is: beside redis-server; null when this machine has none.</summary>
    public static string? Program =>
        RedisProcess.Program is { } server && Path.Combine(Path.GetDirectoryName(server)!, "redis-cli") is var tool && File.Exists(tool) ? tool : null;

    /// <summary>What it printed; a list is one line each.</summary>
    public static async Task<string> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using var tool = Process.Start(new ProcessStartInfo(Program!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            var errors = tool.StandardError.ReadToEndAsync(patience.Token);
            var output = await tool.StandardOutput.ReadToEndAsync(patience.Token);
            await tool.WaitForExitAsync(patience.Token);
            return tool.ExitCode == 0 ? output : throw new InvalidOperationException($"redis-cli {string.Join(' ', arguments.Take(4))} … failed:\n{output}\n{await errors}");
        }
        finally
        {
            if (!tool.HasExited)
                tool.Kill();
        }
    }
}
