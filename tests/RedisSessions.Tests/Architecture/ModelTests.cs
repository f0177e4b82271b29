using System.Reflection;
using System.Text.RegularExpressions;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Architecture;

/// <summary>What ties the models of docs/model to the code, and each property to a planted fault.</summary>
public sealed partial class ModelTests
{
    private static readonly string Session = Repository.Read("docs", "model", "session.pml");
    private static readonly string Move = Repository.Read("docs", "model", "move-checks.pml");
    private static readonly string Check = Repository.Read("docs", "model", "check");
    private static readonly string Page = Repository.Read("docs", "model", "README.md");

    [Fact]
    public void The_model_has_the_states_of_a_record_and_one_for_none()
    {
        foreach (var state in Enum.GetValues<SessionState>())
        {
            var number = (int)state + 1;
            Assert.Matches(new Regex($@"^#define {state.ToString().ToUpperInvariant()} {number}$", RegexOptions.Multiline), Session);
        }

        Assert.Matches(new Regex(@"^#define ABSENT 0$", RegexOptions.Multiline), Session);
    }

    [Fact]
    public void The_limits_that_the_model_scales_down_are_those_of_the_code()
    {
        var forwards = typeof(SessionManager).GetField("MaxForwards", BindingFlags.NonPublic | BindingFlags.Static)!.GetRawConstantValue();
        Assert.Contains(
            $"SessionRecord.MaxCommitIds and SessionManager.MaxForwards ({SessionRecord.MaxCommitIds} and {forwards})", Session,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_property_is_violated_by_a_planted_fault()
    {
        var faults = Configurations().Where(line => line.Expected == "fails").ToList();
        foreach (var (model, text) in new[] { ("session", Session), ("move", Move) })
        {
            var properties = Property().Matches(text).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(properties);
            foreach (var property in properties)
            {
                Assert.Contains(
                    faults, fault => fault.Model == model && fault.Macros.EndsWith("-DONLY=" + property, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void The_page_names_every_configuration_and_every_property()
    {
        foreach (var (name, _, _, _) in Configurations())
            Assert.Contains($"`{name}`", Page, StringComparison.Ordinal);
        foreach (var match in Property().Matches(Session + Move).Cast<Match>())
            Assert.Contains($"| `{match.Groups[1].Value}` |", Page, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Name, string Model, string Expected, string Macros)> Configurations()
    {
        var lines = Configuration().Matches(Check);
        Assert.True(lines.Count > 20);
        return lines.Select(match => (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value, match.Groups[4].Value));
    }

    [GeneratedRegex(@"^(\S+) +(session|move) +(holds|fails|long) +(-D.*)$", RegexOptions.Multiline)]
    private static partial Regex Configuration();

    // A property is a bit with a sentence that says what must hold; it is declared after ONLY.
    [GeneratedRegex(
        @"(?<=^#define ONLY \d+\n#endif\n(?:#define [A-Z_]+ \d+ +/\*.*\*/\n)*)#define ([A-Z_]+) \d+ +/\*", RegexOptions.Multiline)]
    private static partial Regex Property();
}
