namespace RedisSessions.LoadTests;

/// <summary>What was asked for cannot be run: exit code 2, and the message says why.</summary>
internal sealed class UsageException(string message) : Exception(message);
