namespace RedisSessions.Redis;

/// <summary>The scripts, as text. The client sends the text once per server and its digest from then on, also after SCRIPT FLUSH.</summary>
internal static class RedisScripts
{
    public static readonly string Commit = Load("commit.lua");

    public static readonly string AcquireLease = Load("lease-acquire.lua");

    public static readonly string RenewLease = Load("lease-renew.lua");

    public static readonly string ReleaseLease = Load("lease-release.lua");

    public static readonly string Index = Load("index.lua");

    public static readonly string SelfTest = Load("selftest.lua");

    /// <summary>Those that sessions need while they run.</summary>
    public static IReadOnlyList<string> All { get; } = [Commit, AcquireLease, RenewLease, ReleaseLease, Index];

    private static string Load(string name)
    {
        using var stream = typeof(RedisScripts).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The script {name} is not embedded in this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
