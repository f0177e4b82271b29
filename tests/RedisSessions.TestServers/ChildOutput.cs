using System.Runtime.CompilerServices;

namespace RedisSessions.TestServers;

/// <summary>What child processes write is searched for secrets, from before the first fixture can start one.</summary>
internal static class ChildOutput
{
    [ModuleInitializer]
    internal static void Watch() => ChildProcess.Written += static line => Secrets.Seen("the output of a child process", line);
}
