using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Reference;

/// <summary>How code goes on after a step.</summary>
internal enum Exit
{
    /// <summary>With the next step.</summary>
    None,

    /// <summary>The session refused a step, and nothing has caught it yet.</summary>
    Refusal,

    /// <summary>The script has thrown.</summary>
    Throw,
}

/// <summary>Executes steps with those inside them on a model, as the interpreter does on a session.</summary>
internal static class Plain
{
    /// <summary>Executes steps up to the first one that leaves the code around them.</summary>
    public static Exit Run(ModelSession session, IReadOnlyList<Step>? steps, List<Executed> into, bool catches)
    {
        foreach (var step in steps ?? [])
        {
            if (Run(session, step, into, catches) is var exit and not Exit.None)
                return exit;
        }
        return Exit.None;
    }

    /// <summary>Executes a step.</summary>
    /// <param name="session">The model.</param>
    /// <param name="step">The step.</param>
    /// <param name="into">Where the answers go.</param>
    /// <param name="catches">Whether the code around it catches refusals.</param>
    public static Exit Run(ModelSession session, Step step, List<Executed> into, bool catches)
    {
        switch (step.Op)
        {
            case Op.Throw:
                return Exit.Throw;
            case Op.Try:
                return Run(session, step.Then, into, catches: false) == Exit.Throw ? Exit.Throw : Exit.None;
            case Op.IfHas or Op.IfEquals:
                var answer = session.Execute(step);
                into.Add(new Executed(step.Flat(), answer));
                return Run(session, answer == "true" ? step.Then : step.Else, into, catches);
        }
        into.Add(new Executed(step, session.Execute(step)));
        return catches || !Fates.IsRefusal(into[^1].Answer) ? Exit.None : Exit.Refusal;
    }
}
