using System.Text.RegularExpressions;
using System.Xml.Linq;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Architecture;

/// <summary>Who may know whom: read from the project files and from the source.</summary>
public sealed partial class ProjectTests
{
    private static readonly string[] Core = [];

    [Fact]
    public void The_core_knows_none_of_our_projects_and_no_framework_of_theirs()
    {
        var project = Project("src/RedisSessions/RedisSessions.csproj");
        Assert.Equal(Core, References(project, "ProjectReference"));
        Assert.Equal(
            ["MessagePack", "Microsoft.Extensions.Hosting.Abstractions", "Microsoft.Extensions.Options.ConfigurationExtensions"],
            References(project, "PackageReference").Order());
        Assert.Empty(References(project, "FrameworkReference"));
        Assert.DoesNotContain("Web", project.Root!.Attribute("Sdk")!.Value, StringComparison.Ordinal);
        foreach (var (path, text) in Repository.Files("src/RedisSessions", "*.cs"))
        {
            foreach (var foreign in new[] { "Microsoft.AspNetCore", "StackExchange", "Polly", "System.Web" })
                Assert.False(Using(text, foreign), $"{path} knows {foreign}");
        }
    }

    [Fact]
    public void Every_other_library_knows_the_core_and_no_other()
    {
        var others = Repository.Files("src", "*.csproj").Where(file => file.Path != "src/RedisSessions/RedisSessions.csproj").ToList();
        Assert.NotEmpty(others);
        foreach (var (path, text) in others)
            Assert.Equal(["../RedisSessions/RedisSessions.csproj"], References(XDocument.Parse(text), "ProjectReference"));
    }

    [Fact]
    public void Only_tests_see_what_is_internal()
    {
        foreach (var (path, text) in Repository.Files("src", "*.csproj"))
        {
            foreach (var friend in References(XDocument.Parse(text), "InternalsVisibleTo"))
                Assert.True(friend.EndsWith(".Tests", StringComparison.Ordinal), $"{path} shows its internals to {friend}");
        }
    }

    [Fact]
    public void Values_and_Serialization_know_no_task_no_clock_no_logger_and_no_handler()
    {
        var files = Repository.Files("src/RedisSessions/Values", "*.cs").Concat(Repository.Files("src/RedisSessions/Serialization", "*.cs")).ToList();
        Assert.True(files.Count > 5);
        foreach (var (path, text) in files)
        {
            foreach (var word in new[] { "Task", "ValueTask", "TimeProvider", "ILogger", "ISessionHandler", "SessionManager", "IOptions", "await", "lock" })
                Assert.False(Regex.IsMatch(Code(text), $@"\b{word}\b"), $"{path} knows {word}");
        }
    }

    [Fact]
    public void The_source_has_none_of_what_the_house_rules_forbid()
    {
        var forbidden = new (string Name, string Pattern)[]
        {
            ("the system's clock", @"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b"), ("a stopwatch", @"\bStopwatch\b"),
            ("waiting on a task", @"(?<!\bOperationStatus)\.Result\b(?!\s*\()|\.Wait\(\)|\.GetAwaiter\(\)\.GetResult\(\)"),
            ("the console", @"\bConsole\."), ("a pragma", @"#pragma"), ("a region", @"#region"), ("a suppression", "SuppressMessage"),
            ("sleeping", @"\bThread\.Sleep\b"), ("unsafe code", @"\bunsafe\b"),
        };
        foreach (var (path, text) in Repository.Files("src", "*.cs"))
        {
            foreach (var (name, pattern) in forbidden)
                Assert.False(Regex.IsMatch(Code(text), pattern), $"{path} has {name}");
            Assert.DoesNotMatch(@"\b(TODO|FIXME|HACK)\b", text);
        }
    }

    [Fact]
    public void Every_script_is_embedded_and_used()
    {
        var scripts = Repository.Files("src", "*.lua").ToList();
        Assert.NotEmpty(scripts);
        var embedded = typeof(RedisHandlerOptions).Assembly.GetManifestResourceNames();
        var source = string.Concat(Repository.Files("src", "*.cs").Select(file => file.Text));
        foreach (var (path, text) in scripts)
        {
            var name = System.IO.Path.GetFileName(path);
            Assert.Contains(name, embedded);
            Assert.Contains($"\"{name}\"", source, StringComparison.Ordinal);
            Assert.StartsWith("-- ", text, StringComparison.Ordinal);
            Assert.Contains("-- KEYS[1]", text, StringComparison.Ordinal);
            Assert.Contains("-- Answers", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_handler_passes_the_conformance_suite()
    {
        var handlers = Repository.Files("src", "*.cs").SelectMany(file => Handler().Matches(file.Text).Select(match => match.Groups["name"].Value)).ToList();
        Assert.Contains("RedisSessionHandler", handlers);
        // A store may have several suites, one for each server it runs on; they stand together in the handler's file.
        var suites = Repository.Files("tests", "*HandlerTests.cs").Where(file => Suite().IsMatch(file.Text)).Select(file => Path.GetFileName(file.Path)).ToList();
        Assert.Equal(
            handlers.Select(handler => Regex.Replace(handler, "(Session)?Handler$", "HandlerTests.cs")).Order(),
            suites.Order());
    }

    [Fact]
    public void Tests_that_do_not_run_with_the_SDK_alone_start_no_program()
    {
        const string option = @"--filter-not-namespace RedisSessions\.Tests\.\{([\w,]+)\}";
        var folders = Regex.Match(Repository.Read(".ci", "run"), option).Groups[1].Value;
        foreach (var folder in folders.Split(','))
        {
            var files = Repository.Files($"tests/RedisSessions.Tests/{folder}", "*.cs").ToList();
            Assert.NotEmpty(files);
            foreach (var (path, text) in files)
            {
                Assert.Contains($"namespace RedisSessions.Tests.{folder};", text, StringComparison.Ordinal);
                Assert.False(Regex.IsMatch(Code(text), @"\b(Process\.Start|ProcessStartInfo|TestServers)\b"), $"{path} starts a program");
            }
        }
    }

    private static XDocument Project(string path) => XDocument.Parse(Repository.Read(path.Split('/')));

    private static IEnumerable<string> References(XDocument project, string kind) =>
        project.Descendants(kind).Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));

    private static bool Using(string text, string name) => Code(text).Contains(name, StringComparison.Ordinal);

    /// <summary>Source without its comments, which may speak of anything, and without the namespaces that registration extensions go into.</summary>
    private static string Code(string text) => Comment().Replace(text, "");

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"class (?<name>\w+Handler)\b[^{;]*: [^{;]*\bISessionHandler\b")]
    private static partial Regex Handler();

    [GeneratedRegex(@"^public sealed class (?<name>\w+)\b[^{;]*:\s*SessionHandlerTests\b", RegexOptions.Multiline)]
    private static partial Regex Suite();
}
