using System.Reflection;

namespace RedisSessions.Consistency.Http;

/// <summary>Where the application is that this build made.</summary>
internal static class ConsistencyApp
{
    public static string Path => typeof(ConsistencyApp).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == "ConsistencyAppPath").Value is { } path && File.Exists(path)
            ? path
            : throw new FileNotFoundException("tests/RedisSessions.Consistency.App is not built in this configuration.");
}
