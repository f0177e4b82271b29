using System.Collections.Concurrent;

namespace RedisSessions.Consistency.Http;

/// <summary>Numbers instead of session ids: a history, a finding and the output never hold an id.</summary>
internal sealed class CookieNumbers
{
    private readonly ConcurrentDictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private int _last;

    public int Of(string id) => _numbers.GetOrAdd(id, _ => Interlocked.Increment(ref _last));
}
