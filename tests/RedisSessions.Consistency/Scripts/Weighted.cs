namespace RedisSessions.Consistency.Scripts;

/// <summary>Random choice by weight.</summary>
internal static class Weighted
{
    /// <summary>An index, as often as its weight says.</summary>
    public static int Pick(Random random, ReadOnlySpan<int> weights)
    {
        var total = 0;
        foreach (var weight in weights)
            total += weight;
        var left = random.Next(Math.Max(1, total));
        for (var i = 0; i < weights.Length; i++)
        {
            if ((left -= weights[i]) < 0)
                return i;
        }
        return 0;
    }

    /// <summary>One of several.</summary>
    public static T Of<T>(this Random random, params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];
}
