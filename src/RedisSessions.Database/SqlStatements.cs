using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace RedisSessions.Database;

/// <summary>The statements of one dialect about one table. A dialect's own file goes before the one that is good for all.</summary>
internal sealed class SqlStatements
{
    private static readonly string[] Files = typeof(SqlStatements).Assembly.GetManifestResourceNames();
    private readonly SqlDialect _dialect;
    private readonly string _table;

    public SqlStatements(SqlDialect dialect, string table)
    {
        _dialect = dialect;
        _table = table;
        Open = Load("open.sql");
        Read = Required("read.sql");
        Slide = Required("slide.sql");
        Create = Required("create.sql");
        Replace = Required("replace.sql");
        Delete = Required("delete.sql");
        Collect = Required("collect.sql");
        Find = Required("find.sql");
        PhpRead = Required("php-read.sql");
        PhpSlide = Required("php-slide.sql");
        PhpCreate = Required("php-create.sql");
        PhpReplace = Required("php-replace.sql");
        Acquire = Required("acquire.sql");
        Renew = Required("renew.sql");
        Release = Required("release.sql");
        CollectLeases = Required("collect-leases.sql");
        LockCollection = Load("lock-collection.sql");
        UnlockCollection = Load("unlock-collection.sql");
        Exists = Required("exists.sql");
        Applied = Required("applied.sql");
        Prepare = Load("prepare.sql");
        LockMigration = Load("lock-migration.sql");
        UnlockMigration = Load("unlock-migration.sql");
        Migrations = [.. Files.Where(IsMigration).Order(StringComparer.Ordinal).Select(file => new Migration(Number(file), Fill(file)))];
    }

    /// <summary>What a connection needs to be told when it is opened; null when nothing.</summary>
    public string? Open { get; }

    public string Read { get; }

    public string Slide { get; }

    public string Create { get; }

    public string Replace { get; }

    public string Delete { get; }

    public string Collect { get; }

    public string Find { get; }

    public string PhpRead { get; }

    public string PhpSlide { get; }

    public string PhpCreate { get; }

    public string PhpReplace { get; }

    public string Acquire { get; }

    public string Renew { get; }

    public string Release { get; }

    public string CollectLeases { get; }

    /// <summary>Answers false or 0 when another instance is at it; null when the dialect has no such lock.</summary>
    public string? LockCollection { get; }

    public string? UnlockCollection { get; }

    public string Exists { get; }

    public string Applied { get; }

    /// <summary>What must be said before a migration's transaction; null when nothing.</summary>
    public string? Prepare { get; }

    /// <summary>Waits for other instances; null when beginning the transaction does that.</summary>
    public string? LockMigration { get; }

    public string? UnlockMigration { get; }

    /// <summary>In the order of their numbers.</summary>
    public ImmutableArray<Migration> Migrations { get; }

    public string CreateMigrations => Required("migrations.sql");

    public string Record(int version) =>
        Required("record.sql").Replace("{version}", version.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    public string Script()
    {
        var script = new StringBuilder();
        foreach (var statement in (IEnumerable<string?>)[Prepare, CreateMigrations, .. Migrations.SelectMany(migration => new[] { migration.Text, Record(migration.Version) })])
        {
            if (statement is not null)
                script.Append(statement).Append("\n\n");
        }

        return script.ToString().TrimEnd() + "\n";
    }

    private string Required(string name) =>
        Load(name) ?? throw new InvalidOperationException($"The statement {name} of the dialect {_dialect} is not embedded in this assembly.");

    private string? Load(string name) =>
        Files.Contains($"{_dialect.Name}/{name}") ? Fill($"{_dialect.Name}/{name}") : Files.Contains(name) ? Fill(name) : null;

    private bool IsMigration(string file) => file.StartsWith(_dialect.Name + "/", StringComparison.Ordinal) && char.IsAsciiDigit(file[_dialect.Name.Length + 1]);

    private int Number(string file) => int.Parse(file.AsSpan(_dialect.Name.Length + 1, 4), CultureInfo.InvariantCulture);

    /// <summary>The text, with names in the place of <c>{…}</c> and without the comment at its head, which is for readers and not for the wire.</summary>
    private string Fill(string file)
    {
        using var stream = typeof(SqlStatements).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n').SkipWhile(line => line.StartsWith("--", StringComparison.Ordinal) || line.Length == 0);
        return string.Join('\n', lines).TrimEnd()
            .Replace("{table}", _table, StringComparison.Ordinal)
            .Replace("{sessions}", Name(""), StringComparison.Ordinal)
            .Replace("{sessions_user_id}", Name("_user_id"), StringComparison.Ordinal)
            .Replace("{sessions_idle_deadline}", Name("_idle_deadline"), StringComparison.Ordinal)
            .Replace("{sessions_leases}", Name("_leases"), StringComparison.Ordinal)
            .Replace("{sessions_leases_expires_at}", Name("_leases_expires_at"), StringComparison.Ordinal)
            .Replace("{sessions_migrations}", Name("_migrations"), StringComparison.Ordinal);
    }

    private string Name(string suffix) => $"{_dialect.Quote}{_table}{suffix}{_dialect.Quote}";

    /// <summary>One numbered step from an older table to a newer one.</summary>
    public sealed record Migration(int Version, string Text);
}
