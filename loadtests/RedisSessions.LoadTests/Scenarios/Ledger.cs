using System.Collections.Concurrent;
using System.Globalization;
using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Scenarios;

/// <summary>
/// What was acknowledged to the visitors of some sessions, to be compared with what is stored in the end. Everybody counts with <c>/incr</c>, which every target
/// and every peer has.
/// </summary>
internal sealed class Ledger(string[] cookies)
{
    /// <summary>What counts.</summary>
    public const string Path = "/incr";

    private const int VerifyTries = 100;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(100);
    private readonly long[] _acknowledged = new long[cookies.Length];
    private readonly long[] _unknown = new long[cookies.Length];
    private readonly ConcurrentDictionary<int, bool> _touched = [];

    public int Sessions => cookies.Length;

    public string Cookie(int session) => cookies[session];

    public long Acknowledged => _acknowledged.Sum();

    /// <summary>Counts in a session, and keeps what was answered.</summary>
    public async ValueTask<StepOutcome> IncrementAsync(Site site, int session, CancellationToken cancellationToken)
    {
        // Given up while it is on its way: nobody knows, as when the connection breaks.
        var (answer, outcome) = (HttpAnswer.Lost, StepOutcome.Ok);
        try
        {
            answer = await site.SendAsync(Path, cookies[session], cancellationToken);
        }
        finally
        {
            outcome = Take(session, answer);
        }

        return outcome;
    }

    /// <summary>Keeps what was answered to a request that somebody else has sent.</summary>
    public StepOutcome Take(int session, HttpAnswer answer)
    {
        _touched.TryAdd(session, true);
        if (answer.IsOk)
            Interlocked.Increment(ref _acknowledged[session]);
        else if (answer.MayBeStored)
            Interlocked.Increment(ref _unknown[session]);
        return StepOutcome.Expect(answer, long.TryParse(answer.Body, CultureInfo.InvariantCulture, out var n) && n > 0);
    }

    /// <summary>Compares with what is stored: nothing acknowledged may be missing, and nothing may be there that nobody asked for.</summary>
    public async Task<IReadOnlyList<Promise>> VerifyAsync(Site site, CancellationToken cancellationToken)
    {
        long lost = 0, surplus = 0;
        var sessions = _touched.Keys.ToList();
        await Site.EachAsync(sessions.Count, async i =>
        {
            var session = sessions[i];
            var stored = await StoredAsync(site, session, cancellationToken);
            Interlocked.Add(ref lost, Math.Max(0, _acknowledged[session] - stored));
            Interlocked.Add(ref surplus, Math.Max(0, stored - _acknowledged[session] - _unknown[session]));
        });
        return
        [
            new Promise("no acknowledged update is lost", string.Create(CultureInfo.InvariantCulture, $"{lost} of {Acknowledged} lost"), lost == 0 && Acknowledged > 0),
            new Promise("no update is applied twice", string.Create(CultureInfo.InvariantCulture, $"{surplus} too many"), surplus == 0),
        ];
    }

    /// <summary>What a session counts, asked by counting once more.</summary>
    private async Task<long> StoredAsync(Site site, int session, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await site.SendAsync(Path, cookies[session], cancellationToken);
            if (answer.IsOk)
                return long.Parse(answer.Body, CultureInfo.InvariantCulture) - 1;
            if (answer.MayBeStored)
                _unknown[session]++;
            if (attempt == VerifyTries)
                throw new InvalidOperationException($"The site does not say what it has stored: {answer.Failure}.");
            await Task.Delay(BetweenTries, cancellationToken);
        }
    }
}
