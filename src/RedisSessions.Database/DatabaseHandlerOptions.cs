using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace RedisSessions;

/// <summary>
/// How sessions are kept in a database. Bound from the configuration section <c>Sessions:Database</c>, which has the last word, and validated at start.
/// </summary>
public sealed class DatabaseHandlerOptions
{
    /// <summary>The configuration section: <c>Sessions:Database</c>.</summary>
    public const string Section = "Sessions:Database";

    /// <summary>
    /// The table. Leases are in a second one, <c>{Table}_leases</c>, and migrations are recorded in a third, <c>{Table}_migrations</c>. Default: <c>sessions</c>; a letter or underscore, then letters,
    /// digits and underscores, at most 40 characters.
    /// </summary>
    public string Table { get; set; } = "sessions";

    /// <summary>
    /// Whether the table is created and upgraded at start; any number of instances may do so at once. When false, the start only looks, and fails with what
    /// is to be run (<see cref="SqlDialect.MigrationScript"/>) if something is missing. Default: true.
    /// </summary>
    public bool Migrate { get; set; } = true;

    /// <summary>How long one statement may take, waiting for locks included; whole seconds. Default: 5 seconds; 1 second to 5 minutes.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a statement is tried when a deadlock, a locked database or a lost connection kept it from working. Default: 3; 1 to 10.</summary>
    public int Tries { get; set; } = 3;

    /// <summary>
    /// Whose table it is. Default: this library's own. <see cref="SessionLayout.UserFrosting"/> and <see cref="SessionLayout.Laravel"/> is the table of such an application, with its columns
    /// <c>id</c>, <c>payload</c> and <c>last_activity</c>; it is neither made nor migrated nor collected here, and ids stand in it as they are. See <c>docs/php.md</c>.
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

    /// <summary>How many expired sessions are deleted by one statement when they are collected. Default: 1,000; 1 to 100,000.</summary>
    public int CollectBatch { get; set; } = 1_000;
}

/// <summary>Refuses settings that cannot work, at start, naming the setting and its value.</summary>
internal sealed partial class DatabaseHandlerOptionsValidator : IValidateOptions<DatabaseHandlerOptions>
{
    public ValidateOptionsResult Validate(string? name, DatabaseHandlerOptions options)
    {
        List<string> errors = [];
        if (!IsTable(options.Table))
            errors.Add($"Sessions:Database:Table is \"{options.Table}\": {TableRule}");
        if (options.CommandTimeout < TimeSpan.FromSeconds(1) || options.CommandTimeout > TimeSpan.FromMinutes(5))
            errors.Add($"Sessions:Database:CommandTimeout is {options.CommandTimeout}: it must be from 00:00:01 to 00:05:00.");
        if (options.Tries is < 1 or > 10)
            errors.Add($"Sessions:Database:Tries is {options.Tries}: it must be from 1 to 10.");
        if (options.CollectBatch is < 1 or > 100_000)
            errors.Add($"Sessions:Database:CollectBatch is {options.CollectBatch}: it must be from 1 to 100000.");
        if (options.Layout is not (SessionLayout.Standard or SessionLayout.UserFrosting or SessionLayout.Laravel))
            errors.Add($"Sessions:Database:Layout is {options.Layout}: it must be Standard, UserFrosting or Laravel. PHP itself keeps no sessions in a database.");
        if (options.PhpFormat is { } format && !Enum.IsDefined(format))
            errors.Add($"Sessions:Database:PhpFormat is {format}: it must be Php, PhpSerialize or SerializedString.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    public const string TableRule = "it must be a letter or underscore, then letters, digits and underscores, at most 40 characters.";

    /// <summary>The name stands in statements, so this is what keeps them the statements they are. Servers cut names at 63 or 64 characters.</summary>
    public static bool IsTable(string? table) => table is not null && TableName().IsMatch(table);

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,39}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TableName();
}
