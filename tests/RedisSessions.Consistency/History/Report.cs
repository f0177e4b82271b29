using System.Text;
using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Findings and histories as text for people.</summary>
internal static class Report
{
    /// <summary>A finding with the requests that it concerns, as they were observed.</summary>
    public static string Of(Finding finding, RunHistory history)
    {
        var text = new StringBuilder().Append(finding).AppendLine();
        foreach (var observation in history.Observations.Where(observation => finding.Requests.Contains(observation.Request.Id)))
            Append(text, observation);
        return text.ToString();
    }

    /// <summary>All requests of a history, in order of beginning.</summary>
    public static string Of(RunHistory history)
    {
        var text = new StringBuilder($"{history.Name}, seed {history.Seed}").AppendLine();
        foreach (var observation in history.Observations.OrderBy(observation => observation.Began))
            Append(text, observation);
        return text.ToString();
    }

    private static void Append(StringBuilder text, Observation observation)
    {
        var ended = observation.Ended == long.MaxValue ? "never" : $"{observation.Ended}";
        text.Append(
            $"  {observation.Request.Id} [{observation.Began}-{ended}] browser {observation.Browser}, process {observation.Process}, ")
            .Append(observation.Cookie is { } sent ? $"cookie {sent}" : "no cookie").Append(observation.WasNew == true ? ", new" : "")
            .AppendLine(observation.Answer == CookieAnswer.None ? "" : $" -> {observation.Answer} {observation.NewCookie}");
        if (observation.Segments.Count == 0)
            text.Append("    ").AppendLine(Printing.Line(observation.Request));
        foreach (var segment in observation.Segments)
        {
            text.Append("    ").Append(segment.IsUpdate ? $"update ({segment.Runs}): " : segment.WithNext ? "with the next: " : "plain: ")
                .AppendJoin("; ", segment.Steps.Select(Printing.Line)).Append(" => ").Append(segment.Fate)
                .AppendLine(segment.Detail is null ? "" : $" ({segment.Detail})");
        }
    }
}
