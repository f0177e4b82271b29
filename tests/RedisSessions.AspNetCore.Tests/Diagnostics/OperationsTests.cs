using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests.Diagnostics;

/// <summary>The document for operators, the dashboard and the alert rules speak of what the code measures, all of it and nothing else.</summary>
public sealed partial class OperationsTests(StoreFixture store)
{
    private static readonly string Root = Above(AppContext.BaseDirectory);

    private static string Document => Read("docs/operations.md");

    [Fact]
    public async Task The_table_of_metrics_is_what_the_code_measures()
    {
        var documented = MetricRow().Matches(Document).Select(row => $"{row.Groups["name"].Value} {row.Groups["kind"].Value} {row.Groups["unit"].Value}");
        Assert.Equal((await InstrumentsAsync()).Select(one => $"{one.Name} {Kind(one)} {one.Unit}").Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_dashboard_asks_for_what_is_measured_and_for_all_of_it()
    {
        using var dashboard = JsonDocument.Parse(Read("docker/grafana/redissessions.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        var questions = panels.Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray()).Select(target => target.GetProperty("expr").GetString()!).ToList();
        Assert.All(questions, AssertBalanced);
        var instruments = await InstrumentsAsync();
        AssertExist(questions, instruments);
        Assert.All(instruments, one => Assert.Contains(questions, question => PrometheusNames(one).Any(name => Asks(question, name))));
    }

    [Fact]
    public async Task Every_alert_asks_for_what_is_measured_and_has_a_section_that_says_what_to_do()
    {
        var rules = Read("docker/prometheus/alerts.yml");
        var alerts = Alert().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        var questions = Expression().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(alerts.Count, questions.Count);
        Assert.All(questions, AssertBalanced);
        AssertExist(questions, await InstrumentsAsync());

        Assert.Equal(alerts, Runbook().Matches(rules).Select(match => alerts.Single(alert => alert.Equals(match.Groups[1].Value, StringComparison.OrdinalIgnoreCase))));
        var sections = Section().Matches(Document).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(alerts.Order(), sections.Order());
    }

    [Fact]
    public void Every_value_of_a_tag_that_a_rule_or_a_panel_asks_for_is_one_that_the_document_names()
    {
        var texts = Read("docker/prometheus/alerts.yml") + Read("docker/grafana/redissessions.json").Replace("\\\"", "\"", StringComparison.Ordinal);
        foreach (Match asked in Selector().Matches(texts))
        {
            foreach (var value in asked.Groups["values"].Value.Split('|').Where(value => value[0] != '$'))
                Assert.Contains($"`{value}`", Document, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Prometheus_itself_accepts_the_rules()
    {
        Assert.SkipWhen(ProgramPath.Find("promtool") is null, "promtool is not installed (Debian: prometheus), so the alert rules were not checked by it.");
        using var check = Process.Start(new ProcessStartInfo("promtool", ["check", "rules", Path.Combine(Root, "docker/prometheus/alerts.yml")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = await check.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await check.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await check.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(check.ExitCode == 0, output);
    }

    /// <summary>What an application with everything registered publishes, without a request having been sent.</summary>
    private async Task<List<Instrument>> InstrumentsAsync()
    {
        List<Instrument> found = [];
        await using var app = await SessionApp.StartAsync(store, static _ => { });
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                // Of this application alone: others run beside it, and some tests plant what is to be found.
                if (instrument.Meter.Name == "RedisSessions" && instrument.Meter.Scope == app.Services.GetRequiredService<IMeterFactory>())
                    found.Add(instrument);
            },
        };
        listener.Start();
        Assert.NotEmpty(found);
        return found;
    }

    private static void AssertExist(IEnumerable<string> questions, IEnumerable<Instrument> instruments)
    {
        var known = instruments.SelectMany(PrometheusNames).ToHashSet();
        var asked = questions.SelectMany(question => Metric().Matches(question)).Select(match => match.Value).ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, name => Assert.Contains(name, known));
    }

    private static void AssertBalanced(string question) =>
        Assert.True(question.Count(letter => letter == '(') == question.Count(letter => letter == ')') && question.Count(letter => letter == '"') % 2 == 0, question);

    /// <summary>As OpenTelemetry's exporters translate names: underscores, units in words, and what is counted is a total.</summary>
    private static IEnumerable<string> PrometheusNames(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" };
        return Kind(instrument) switch
        {
            "histogram" => [$"{name}_bucket", $"{name}_count", $"{name}_sum"],
            "counter" => [$"{name}_total"],
            _ => [name],
        };
    }

    private static string Kind(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Histogram" => "histogram",
        "Counter" => "counter",
        "UpDownCounter" => "up-down counter",
        "ObservableGauge" => "gauge",
        var other => other,
    };

    private static bool Asks(string question, string name) => Metric().Matches(question).Any(match => match.Value == name);

    private static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Above(string folder) =>
        File.Exists(Path.Combine(folder, "RedisSessions.sln")) ? folder : Above(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("No RedisSessions.sln above the test."));

    [GeneratedRegex(@"^\| `(?<name>redissessions\.[\w.]+)` \| (?<kind>[\w -]+) \| `(?<unit>[^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"\bredissessions_\w+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"^ +- alert: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"^ +expr: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Expression();

    [GeneratedRegex(@"^ +runbook: docs/operations\.md#(\w+)$", RegexOptions.Multiline)]
    private static partial Regex Runbook();

    [GeneratedRegex(@"^### (RedisSessions\w+)$", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"\b(?:reason|operation|outcome|access)=~?""(?<values>[^""]+)""")]
    private static partial Regex Selector();
}
