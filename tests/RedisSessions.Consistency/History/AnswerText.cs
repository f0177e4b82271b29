using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.History;

/// <summary>Answers in the form in which they are compared.</summary>
internal static class AnswerText
{
    /// <summary>
    /// The answer without what no promise fixes: whether <see cref="Op.All"/> shows literal keys that hold a dot. No path begins with such
    /// a key.
    /// </summary>
    public static string? Comparable(Executed executed)
    {
        if (executed.Step.Op != Op.All || executed.Answer is not { } answer || !answer.Contains('.'))
            return executed.Answer;
        return Json.Read(answer) is Dictionary<string, object?> all
            ? Json.Write(all.Where(pair => !pair.Key.Contains('.')).ToDictionary(StringComparer.Ordinal))
            : answer;
    }
}
