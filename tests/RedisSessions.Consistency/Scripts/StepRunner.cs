using System.Text;

namespace RedisSessions.Consistency.Scripts;

/// <summary>Executes single steps on a session and writes down their answers.</summary>
internal sealed class StepRunner(Session session, Func<long, Task> wait)
{
    /// <summary>The steps of a delegate: a refusal that is not inside a <see cref="Op.Try"/> makes it throw.</summary>
    public async Task RunDelegateAsync(IReadOnlyList<Step> steps, List<Executed> into)
    {
        try
        {
            foreach (var step in steps)
                await RunAsync(step, into, catches: false);
        }
        catch (Exception e) when (Fates.IsRefusal(e))
        {
            throw new ScriptException(Fates.Refusal(e), e);
        }
    }

    /// <summary>Executes a step with those inside it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="into">Where the answers go, in the order of execution.</param>
    /// <param name="catches">Whether the code around it catches what the session refuses.</param>
    public async Task RunAsync(Step step, List<Executed> into, bool catches)
    {
        switch (step.Op)
        {
            case Op.Wait:
                into.Add(new Executed(step, null));
                await wait(step.Number);
                break;
            case Op.Throw:
                throw new ScriptException("Throw");
            case Op.Try:
                await TryAsync(step.Then ?? [], into);
                break;
            case Op.IfHas or Op.IfEquals:
                foreach (var inner in Condition(step, into) ?? [])
                    await RunAsync(inner, into, catches);
                break;
            default:
                Answer(step, into, catches);
                break;
        }
    }

    /// <summary>Asks what a condition asks, and answers the branch to take.</summary>
    public IReadOnlyList<Step>? Condition(Step step, List<Executed> into)
    {
        var holds = step.Op == Op.IfHas ? session.Has(step.Path!) : Json.Write(session[step.Path!]) == Json.Canonical(step.Value!);
        into.Add(new Executed(step.Flat(), Json.Write(holds)));
        return holds ? step.Then : step.Else;
    }

    private async Task TryAsync(IReadOnlyList<Step> steps, List<Executed> into)
    {
        try
        {
            foreach (var step in steps)
                await RunAsync(step, into, catches: false);
        }
        catch (Exception e) when (Fates.IsRefusal(e))
        {
            // The refused step has been written down with the exception as its answer.
        }
    }

    private void Answer(Step step, List<Executed> into, bool catches)
    {
        try
        {
            into.Add(new Executed(step, Execute(step)));
        }
        catch (Exception e) when (Fates.IsRefusal(e))
        {
            into.Add(new Executed(step, Fates.Refusal(e)));
            if (!catches)
                throw;
        }
    }

    private string? Execute(Step step)
    {
        switch (step.Op)
        {
            case Op.Get: return Json.Write(session[step.Path!]);
            case Op.Has: return Json.Write(session.Has(step.Path!));
            case Op.All: return Json.Write(session.All());
            case Op.Remove: return Json.Write(session.Remove(step.Path!));
            case Op.Pull: return Json.Write(session.Pull<object>(step.Path!));
            case Op.Increment: return Json.Write(session.Increment(step.Path!, step.Number));
            case Op.LiteralGet:
                return session.Literals.TryGet(step.Path!, out var bytes) ? Json.Write(Encoding.UTF8.GetString(bytes)) : "null";
            case Op.LiteralKeys: return Json.Write(session.Literals.Keys.Order(StringComparer.Ordinal));
            case Op.GetLifetimes:
                return $"[{session.IdleTimeout.TotalSeconds:F0},{session.AbsoluteTimeout.TotalSeconds:F0}]";
        }
        Write(step);
        return null;
    }

    private void Write(Step step)
    {
        switch (step.Op)
        {
            case Op.Set: session[step.Path!] = Json.Read(step.Value!); break;
            case Op.Push: session.Push(step.Path!, Json.Read(step.Value!)); break;
            case Op.Prepend: session.Prepend(step.Path!, Json.Read(step.Value!)); break;
            case Op.Clear: session.Clear(); break;
            case Op.Flash: session.Flash(step.Path!, Json.Read(step.Value!)); break;
            case Op.Keep: session.Keep(step.Path!); break;
            case Op.Reflash: session.Reflash(); break;
            case Op.LiteralSet: session.Literals.Set(step.Path!, Encoding.UTF8.GetBytes((string)Json.Read(step.Value!)!)); break;
            case Op.LiteralRemove: session.Literals.Remove(step.Path!); break;
            case Op.SetIdleTimeout: session.IdleTimeout = TimeSpan.FromSeconds(step.Number); break;
            case Op.SetAbsoluteTimeout: session.AbsoluteTimeout = TimeSpan.FromSeconds(step.Number); break;
            case Op.SetPersistent: session.IsPersistent = step.Number != 0; break;
            case Op.Rotate: session.RegenerateId(); break;
            case Op.Login: session.RegenerateId(deleteOld: true); break;
            case Op.Destroy: session.Destroy(expireCookie: true); break;
            default: throw new NotSupportedException($"A delegate cannot {step.Op}.");
        }
    }
}
