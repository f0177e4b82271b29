using RedisSessions.Consistency.History;

namespace RedisSessions.Consistency.Http;

/// <summary>The command <c>judge</c>: judges histories that were kept in files once more.</summary>
internal static class JudgeCommand
{
    /// <summary>Runs it.</summary>
    /// <param name="files">Where the histories are.</param>
    /// <param name="output">Where findings are printed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>0 when nothing was found, 1 when something was.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> files, TextWriter output, CancellationToken cancellationToken)
    {
        var found = 0;
        foreach (var file in files)
        {
            var history = await KeptHistory.ReadAsync(file, cancellationToken);
            var findings = Judge.Check(history);
            await output.WriteLineAsync($"{file}: {history.Observations.Count} requests, {findings.Count} findings");
            foreach (var finding in findings)
                await output.WriteLineAsync($"  {finding}");
            found += findings.Count;
        }

        return found == 0 ? 0 : 1;
    }
}
