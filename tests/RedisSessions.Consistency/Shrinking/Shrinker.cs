using RedisSessions.Consistency.Scripts;

namespace RedisSessions.Consistency.Shrinking;

/// <summary>
/// Makes a failing plan smaller: removes requests, then steps, then what is special about values, for as long as it still fails.
/// </summary>
internal static class Shrinker
{
    /// <summary>The smallest plan that was found.</summary>
    /// <param name="requests">A plan that fails, one request after the other.</param>
    /// <param name="fails">Whether a plan fails in the same way.</param>
    /// <param name="maxTries">How often <paramref name="fails"/> is asked at most.</param>
    public static IReadOnlyList<Request> Shrink(IReadOnlyList<Request> requests, Func<IReadOnlyList<Request>, bool> fails,
        int maxTries = 2_000) =>
        Shrink(requests, request => request, (_, request) => request, fails, maxTries);

    /// <summary>The same for plans that hold more than the requests: who sends them, to which process, when.</summary>
    /// <param name="plan">A plan that fails.</param>
    /// <param name="requestOf">The request of an entry.</param>
    /// <param name="with">An entry with another request.</param>
    /// <param name="fails">Whether a plan fails in the same way.</param>
    /// <param name="maxTries">How often <paramref name="fails"/> is asked at most.</param>
    public static IReadOnlyList<T> Shrink<T>(
        IReadOnlyList<T> plan, Func<T, Request> requestOf, Func<T, Request, T> with, Func<IReadOnlyList<T>, bool> fails,
            int maxTries = 2_000)
    {
        var left = maxTries;
        int size;
        do
        {
            size = Size(plan.Select(requestOf));
            plan = WithoutParts(plan, Fails);
            for (var i = 0; i < plan.Count; i++)
                plan = Smaller(plan, i);
        }
        while (left > 0 && Size(plan.Select(requestOf)) < size);
        return plan;

        bool Fails(IReadOnlyList<T> candidate) => left-- > 0 && fails(candidate);

        IReadOnlyList<T> Smaller(IReadOnlyList<T> plan, int i)
        {
            var found = true;
            while (found && left > 0)
            {
                found = false;
                foreach (var candidate in SmallerRequest.Of(requestOf(plan[i])))
                {
                    T[] changed = [.. plan];
                    changed[i] = with(plan[i], candidate);
                    if (!Fails(changed))
                        continue;
                    (plan, found) = (changed, true);
                    break;
                }
            }
            return plan;
        }
    }

    /// <summary>Delta debugging: leaves out halves, then quarters, down to single entries.</summary>
    private static IReadOnlyList<T> WithoutParts<T>(IReadOnlyList<T> plan, Func<IReadOnlyList<T>, bool> fails)
    {
        for (var length = plan.Count / 2; length > 0; length /= 2)
        {
            for (var from = 0; from + length <= plan.Count;)
            {
                T[] rest = [.. plan.Take(from), .. plan.Skip(from + length)];
                if (rest.Length > 0 && fails(rest))
                    plan = rest;
                else
                    from += length;
            }
        }
        return plan;
    }

    private static int Size(IEnumerable<Request> requests) => requests.Sum(request => 1 + request.Steps.Sum(SmallerRequest.Size));
}
