using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>One script: its text, and the digest that a server has it by once it has seen the text.</summary>
internal sealed class RedisScript
{
    // SHA-1, because that is what the server calls a script by; nothing rests on it.
#pragma warning disable CA5350
    private readonly byte[] _digest;

    public RedisScript(string name)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        Text = reader.ReadToEnd();
        _digest = SHA1.HashData(Encoding.UTF8.GetBytes(Text));
    }
#pragma warning restore CA5350

    public string Text { get; }

    /// <summary>
    /// By the digest; a server that does not know it (restarted, promoted, flushed) has not run anything, and gets the text. The client would do the same by itself, and
    /// would tell nobody.
    /// </summary>
    public async Task<RedisResult> RunAsync(RedisTry attempt, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return await attempt.Database.ScriptEvaluateAsync(_digest, keys, values).ConfigureAwait(false);
        }
        catch (RedisServerException e) when (RedisFailure.IsScriptMissing(e.Message))
        {
            attempt.Metrics.ScriptMissed();
            attempt.CancellationToken.ThrowIfCancellationRequested();
            return await attempt.Database.ScriptEvaluateAsync(Text, keys, values, CommandFlags.NoScriptCache).ConfigureAwait(false);
        }
    }
}
