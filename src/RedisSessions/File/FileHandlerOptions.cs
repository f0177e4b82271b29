using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>
/// Where sessions live as files. Bound from the configuration section <c>Sessions:File</c>, which has the last word, and validated at start.
/// </summary>
public sealed class FileHandlerOptions
{
    /// <summary>The configuration section: <c>Sessions:File</c>.</summary>
    public const string Section = "Sessions:File";

    /// <summary>
    /// The directory; made when it is missing, for this user alone. A relative one counts from the working directory. All processes that share sessions
    /// share it, and it is on a local file system. Default: <c>app/sessions</c>.
    /// </summary>
    public string Path { get; set; } = "app/sessions";

    /// <summary>
    /// Whether a commit waits until the disk has it, so that it survives a power cut. Without, it survives a crash of the process only. Default: true.
    /// </summary>
    public bool FlushToDisk { get; set; } = true;

    /// <summary>How long a commit waits for another process that is committing to the same session. Default: 10 seconds; 100 ms to 1 minute.</summary>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Refuses settings that cannot work, at start, naming the setting and its value.</summary>
internal sealed class FileHandlerOptionsValidator : IValidateOptions<FileHandlerOptions>
{
    public ValidateOptionsResult Validate(string? name, FileHandlerOptions options)
    {
        List<string> errors = [];
        if (string.IsNullOrWhiteSpace(options.Path) || options.Path.Contains('\0', StringComparison.Ordinal))
            errors.Add($"Sessions:File:Path is \"{options.Path}\": it must be a directory.");
        if (options.LockTimeout < TimeSpan.FromMilliseconds(100) || options.LockTimeout > TimeSpan.FromMinutes(1))
            errors.Add($"Sessions:File:LockTimeout is {options.LockTimeout}: it must be from 00:00:00.1 to 00:01:00.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
