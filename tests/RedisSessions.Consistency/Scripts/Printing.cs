using System.Text;

namespace RedisSessions.Consistency.Scripts;

/// <summary>Steps, requests and answers as short text for people.</summary>
internal static class Printing
{
    /// <summary>A step with its answer.</summary>
    public static string Line(Executed executed) => executed.Answer is null ? Line(executed.Step)
        : $"{Line(executed.Step)} -> {executed.Answer}";

    /// <summary>A step with those inside it.</summary>
    public static string Line(Step step)
    {
        var text = new StringBuilder(step.Op.ToString());
        if (step.Path is not null)
            text.Append(' ').Append(step.Path);
        if (step.Value is not null)
            text.Append(' ').Append(step.Value);
        if (step.Number != 0)
            text.Append(' ').Append(step.Number);
        if (step.Then is not null)
            text.Append(" { ").AppendJoin("; ", step.Then.Select(Line)).Append(" }");
        if (step.Else is not null)
            text.Append(" else { ").AppendJoin("; ", step.Else.Select(Line)).Append(" }");
        return text.ToString();
    }

    /// <summary>A request on one line.</summary>
    public static string Line(Request request)
    {
        var access = request.Access == SessionAccess.Optimistic ? "" : " " + request.Access;
        return $"{request.Id}{access}: {string.Join("; ", request.Steps.Select(Line))}";
    }
}
