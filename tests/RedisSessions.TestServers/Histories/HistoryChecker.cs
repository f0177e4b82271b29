namespace RedisSessions.TestServers.Histories;

/// <summary>
/// Whether a history keeps the promises: every acknowledged token is there exactly once, an unknown one at most once, a refused one never; no read is older than
/// what was acknowledged, or seen, before it began; tokens stand in one order that all reads agree on; nobody is logged out; no id that has ended is back.
/// Appending unique tokens to a list makes all of this decidable for histories of any length: the list is the order.
/// </summary>
public static class HistoryChecker
{
    /// <summary>What is wrong, in words; empty when nothing is.</summary>
    /// <exception cref="ArgumentException">Nobody has looked at a session after everything that was done to it: its history cannot be judged.</exception>
    public static IReadOnlyList<string> Check(IEnumerable<SessionOperation> history)
    {
        List<string> violations = [];
        foreach (var session in history.GroupBy(operation => operation.Session))
            violations.AddRange(new OneSession([.. session]).Check().Select(violation => $"{session.Key}: {violation}"));
        return violations;
    }

    private sealed class OneSession
    {
        private readonly Dictionary<string, Pushed> _pushes;
        private readonly Looked[] _lists;
        private readonly Looked[] _empties;
        private readonly Ended[] _ends;

        public OneSession(SessionOperation[] operations)
        {
            _pushes = operations.OfType<Pushed>().ToDictionary(push => push.Token, StringComparer.Ordinal);
            var looks = operations.OfType<Looked>().Where(look => look.Outcome == Outcome.Acknowledged).ToArray();
            _lists = [.. looks.Where(look => look.Tokens is not null).OrderBy(look => look.Tokens!.Count)];
            _empties = [.. looks.Where(look => look.Tokens is null)];
            _ends = [.. operations.OfType<Ended>().Where(end => end.Outcome != Outcome.Refused)];
            var done = operations.Max(operation => operation is Looked ? long.MinValue : operation.Returned);
            if (!looks.Any(look => look.Invoked > done))
                throw new ArgumentException($"Nobody looked at {operations[0].Session} after all that was done to it: that proves nothing.");
        }

        public IEnumerable<string> Check() => _lists.SelectMany(CheckOne).Concat(CheckOrder()).Concat(CheckEnds());

        /// <summary>A read by itself: exactly what had been written, and nothing that had not.</summary>
        private IEnumerable<string> CheckOne(Looked look)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var token in look.Tokens!)
            {
                if (!seen.Add(token))
                    yield return $"applied twice: {token}";
                else if (!_pushes.TryGetValue(token, out var push))
                    yield return $"out of nowhere: {token}";
                else if (push.Outcome == Outcome.Refused)
                    yield return $"refused, and there all the same: {token}";
                else if (push.Invoked > look.Returned)
                    yield return $"read before it was written: {token}";
            }

            foreach (var push in _pushes.Values.Where(push => push.Outcome == Outcome.Acknowledged && push.Returned < look.Invoked && !seen.Contains(push.Token)))
                yield return $"acknowledged and lost, or a stale read: {push.Token}, {Milliseconds(push.Returned, look.Invoked)} ms before the read";
        }

        /// <summary>Reads and writes among each other: one order of tokens, that does not contradict the order of time.</summary>
        private IEnumerable<string> CheckOrder()
        {
            for (var i = 1; i < _lists.Length; i++)
            {
                if (!_lists[i].Tokens!.Take(_lists[i - 1].Tokens!.Count).SequenceEqual(_lists[i - 1].Tokens!, StringComparer.Ordinal))
                    yield return $"two reads disagree: [{string.Join(' ', _lists[i - 1].Tokens!)}] and [{string.Join(' ', _lists[i].Tokens!)}]";
            }

            // The longest list that any read had seen when it returned; a later read may not see less.
            var longest = 0;
            var returned = new PriorityQueue<int, long>(_lists.Select(look => (look.Tokens!.Count, look.Returned)));
            foreach (var look in _lists.OrderBy(look => look.Invoked))
            {
                while (returned.TryPeek(out var count, out var at) && at < look.Invoked)
                    longest = Math.Max(longest, returned.Dequeue());
                if (look.Tokens!.Count < longest)
                    yield return $"seen and unseen: {longest} tokens, and later {look.Tokens.Count}";
            }

            var order = _lists.LastOrDefault()?.Tokens!.Where(_pushes.ContainsKey).Select(token => _pushes[token]).ToArray() ?? [];
            // From the end: the earliest acknowledgement of all that stand behind must not be before this one was sent.
            (long Returned, string Token) earliest = (long.MaxValue, "");
            foreach (var push in order.Reverse())
            {
                if (earliest.Returned < push.Invoked)
                    yield return $"out of order: {push.Token} was sent after {earliest.Token} was acknowledged, and stands before it";
                if (push.Outcome == Outcome.Acknowledged && push.Returned < earliest.Returned)
                    earliest = (push.Returned, push.Token);
            }
        }

        /// <summary>Who is logged out has logged out, and stays so.</summary>
        private IEnumerable<string> CheckEnds()
        {
            foreach (var empty in _empties)
            {
                if (!_ends.Any(end => end.Id == empty.Id && end.Invoked < empty.Returned))
                    yield return $"logged out: id {empty.Id} was read as no session, and nobody had ended it";
                if (_lists.Any(look => look.Id == empty.Id && look.Invoked > empty.Returned))
                    yield return $"back: id {empty.Id} was gone, and a later read found it";
            }

            foreach (var end in _ends.Where(end => end.Outcome == Outcome.Acknowledged))
            {
                if (_lists.Any(look => look.Id == end.Id && look.Invoked > end.Returned))
                    yield return $"back: id {end.Id} was {end.How}, and a later read found it";
                if (_pushes.Values.Any(push => push.Id == end.Id && push.Invoked > end.Returned && push.Outcome == Outcome.Acknowledged))
                    yield return $"alive: id {end.Id} was {end.How}, and a later write to it was acknowledged";
                if (end.How == SessionEnd.Destroyed && _lists.Any(look => look.Invoked > end.Returned))
                    yield return $"back: the session was destroyed by its id {end.Id}, and a later read found it";
            }
        }

        private static long Milliseconds(long from, long to) => (long)System.Diagnostics.Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;
    }
}
