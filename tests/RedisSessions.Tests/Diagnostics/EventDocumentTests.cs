using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Diagnostics;

/// <summary>Every event of all packages is in docs/operations.md with its level, and none is there that does not exist.</summary>
public sealed partial class EventDocumentTests
{
    private static readonly (Assembly Assembly, int First, int Last)[] Packages =
    [
        (typeof(Session).Assembly, 1, 99), (typeof(RedisHandlerOptions).Assembly, 100, 199), (typeof(SessionCookieOptions).Assembly, 200, 299),
        (typeof(DatabaseHandlerOptions).Assembly, 300, 399),
    ];

    [Fact]
    public void The_table_of_events_is_what_the_code_logs()
    {
        var code = Packages.SelectMany(package => Events(package.Assembly)).OrderBy(one => one.Id).Select(one => $"{one.Id} {one.Name} {one.Level}");
        var document = Row().Matches(Repository.Read("docs", "operations.md"))
            .Select(row => $"{row.Groups["id"].Value} {row.Groups["name"].Value} {row.Groups["level"].Value}");
        Assert.Equal(code, document);
    }

    [Fact]
    public void Every_event_has_an_id_of_its_own_in_the_range_of_its_package()
    {
        foreach (var (assembly, first, last) in Packages)
        {
            var events = Events(assembly);
            Assert.NotEmpty(events);
            Assert.All(events, one => Assert.InRange(one.Id, first, last));
        }

        var ids = Packages.SelectMany(package => Events(package.Assembly)).Select(one => one.Id).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }

    [Fact]
    public void Every_library_is_looked_at() =>
        Assert.Equal(Repository.Files("src", "*.csproj").Select(file => Path.GetFileNameWithoutExtension(file.Path)).Order(), Packages.Select(package => package.Assembly.GetName().Name!).Order());

    [Fact]
    public void Event_ids_that_other_documents_name_exist()
    {
        var known = Packages.SelectMany(package => Events(package.Assembly)).Select(one => one.Id.ToString(CultureInfo.InvariantCulture)).ToHashSet();
        foreach (var (path, text) in Repository.Files("docs", "*.md"))
            Assert.All(Named().Matches(text), match => Assert.True(known.Contains(match.Groups[1].Value), $"{path} names event {match.Groups[1].Value}"));
    }

    private static List<(int Id, string Name, LogLevel Level)> Events(Assembly assembly) =>
        [.. assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => (method.Name, Attribute: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(found => found.Attribute is not null)
            .Select(found => (found.Attribute!.EventId, found.Attribute.EventName ?? found.Name, found.Attribute.Level))];

    [GeneratedRegex(@"^\| (?<id>\d+) \| `(?<name>\w+)` \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\b(?:event|warning) (\d+)\b")]
    private static partial Regex Named();
}
