namespace PhpBridge.Bridge;

/// <summary>The bridge cannot start; the message is the one line that the user is to read.</summary>
internal sealed class StartupException(string message) : Exception(message);
