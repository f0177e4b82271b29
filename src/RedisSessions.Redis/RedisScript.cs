using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace RedisSessions.Redis;

/// <summary>One script: its text, and the digest that a server has it by once it has seen the text.</summary>
internal sealed class RedisScript
{
    // SHA-1, because that is what the server calls a script by; nothing rests on it.
    private readonly byte[] _digest;

    public RedisScript(string name)
    {
        using var stream = typeof(RedisScript).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        Text = reader.ReadToEnd();
        _digest = SHA1.HashData(Encoding.UTF8.GetBytes(Text));
    }

    public string Text { get; }

    /// <summary>
    /// By the digest; a server that does not know it (restarted, promoted, flushed) has not run anything, says so, and is sent the text by <see cref="RedisStore"/>. The client
    /// would do the same by itself, and would tell nobody.
    /// </summary>
    public Task<RedisResult> RunAsync(RedisTry attempt, RedisKey[] keys, RedisValue[] values) => attempt.WithText
        ? attempt.Database.ScriptEvaluateAsync(Text, keys, values, CommandFlags.NoScriptCache)
        : attempt.Database.ScriptEvaluateAsync(_digest, keys, values);
}
