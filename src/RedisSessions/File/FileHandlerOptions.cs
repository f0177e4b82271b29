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

    /// <summary>
    /// How long a commit waits for another process that is committing to the same session; with PHP's files, how long a read or a commit waits for a request of PHP that has the session.
    /// Default: 10 seconds; 100 ms to 1 minute.
    /// </summary>
    public TimeSpan LockTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whose files are in the directory. Default: this library's own. With any other, <see cref="Path"/> is PHP's <c>session.save_path</c>, UserFrosting's <c>app/sessions</c> or Laravel's
    /// <c>storage/framework/sessions</c>, this process runs as the same user, and files are named by the ids. See <c>docs/php.md</c>.
    /// </summary>
    public SessionLayout Layout { get; set; }

    /// <summary>How PHP encodes sessions, where it is not as the <see cref="Layout"/> has it: <c>session.serialize_handler</c> in php.ini. Default: as the layout has it.</summary>
    public PhpSessionFormat? PhpFormat { get; set; }

    internal PhpSessionFormat? PhpFormatInUse => Layout switch
    {
        SessionLayout.Standard => null,
        SessionLayout.Laravel => PhpFormat ?? PhpSessionFormat.PhpSerialize,
        _ => PhpFormat ?? PhpSessionFormat.Php,
    };
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
        if (!Enum.IsDefined(options.Layout))
            errors.Add($"Sessions:File:Layout is {options.Layout}: it must be Standard, Php, UserFrosting or Laravel.");
        if (options.PhpFormat is { } format && !Enum.IsDefined(format))
            errors.Add($"Sessions:File:PhpFormat is {format}: it must be Php, PhpSerialize or SerializedString.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
