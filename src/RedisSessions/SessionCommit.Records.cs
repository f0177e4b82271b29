using RedisSessions.Values;

namespace RedisSessions;

// What is stored: the session as a record.
internal sealed partial class SessionCommit
{
    private const int LongestAgent = 256;

    // The values of the record that is being stored, as they are before encryption.
    private SessionTree _values = SessionTree.Empty();

    /// <summary>The session as this request leaves it, as a record for a key.</summary>
    private SessionRecord Next(SessionKey key, SessionVersion version)
    {
        // Whose session it is, is noted when a user or a key is new; then with the browser that it happened in.
        var user = manager.UserOf(session.Work.View);
        if (user is not null && (version == SessionVersion.None || user != manager.UserOf(session.Work.Snapshot))
            && session.UserAgent is { Length: > 0 } agent && agent != SessionNotes.AgentIn(session.Work.View))
        {
            session.Write(new NoteChange(SessionNotes.Agent, SessionValue.From(agent.Length > LongestAgent ? agent[..LongestAgent] : agent)));
        }

        return Sealed(key, version, SessionTree.Open(session.Work.View.ToPayload()));
    }

    private SessionRecord Sealed(SessionKey key, SessionVersion version, SessionTree values)
    {
        var payload = values.ToPayload();
        if (payload.Length > manager.Options.MaxSize)
        {
            var largest = values.Sizes().OrderByDescending(entry => entry.Size).Take(3).Select(entry => $"{entry.Key} ({entry.Size} bytes)");
            throw new SessionTooLargeException(payload.Length, manager.Options.MaxSize, string.Join(", ", largest));
        }

        _values = values;
        var stored = manager.Seal(key, payload);
        var user = manager.UserOf(values);
        var created = session.Base?.CreatedAt ?? session.CreatedAt;
        return new SessionRecord
        {
            Version = version.Next(),
            CreatedAt = created,
            AbsoluteDeadline = created + session.AbsoluteTimeout,
            IdleTimeout = session.OwnIdleTimeout,
            CommitIds = session.Base?.CommitIdsWith(_id) ?? [_id],
            PayloadFormat = stored.Format,
            Payload = stored.Payload,
            UserId = user,
            // A new deadline too: an index forgets a session when the one that it knows has passed.
            IndexUser = user is not null && (version == SessionVersion.None || session.ChangesLifetime || user != manager.UserOf(session.Work.Snapshot)),
        };
    }

    private SessionRecord Closed(SessionRecord old, SessionState state, SessionKey target) => state == SessionState.Forward
        ? old.ClosedAs(state, _id, manager.Now + manager.Options.RotationGrace, target.ToBytes())
        : old.ClosedAs(state, _id, manager.Now + ClosedLifetime);
}
