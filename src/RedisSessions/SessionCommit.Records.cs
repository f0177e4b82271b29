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
        var view = session.Work.View;
        if (session.UserAgent is { Length: > 0 } agent && IsNewUser(version) && manager.UserOf(view) is not null && agent != SessionNotes.AgentIn(view))
            session.Write(new NoteChange(SessionNotes.Agent, SessionValue.From(agent.Length > LongestAgent ? agent[..LongestAgent] : agent)));
        return Sealed(key, version, session.Work.ShareView());
    }

    private SessionRecord Sealed(SessionKey key, SessionVersion version, SessionTree values)
    {
        var size = values.Size;
        if (size > manager.Options.MaxSize)
        {
            var largest = values.Sizes().OrderByDescending(entry => entry.Size).Take(3).Select(entry => $"{entry.Key} ({entry.Size} bytes)");
            throw new SessionTooLargeException(size, manager.Options.MaxSize, string.Join(", ", largest));
        }

        _values = values;
        // In clear, the values are written where the store's bytes are made, and only there.
        (PayloadFormat Format, ReadOnlyMemory<byte> Payload) stored =
            manager.StoresClear ? (PayloadFormat.MessagePack, default) : manager.Seal(key, values.ToPayload());
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
            Values = manager.StoresClear ? values : null,
            UserId = user,
            HoldsForeign = session.Base is { HoldsForeign: true },
            // A new deadline too: an index forgets a session when the one that it knows has passed.
            IndexUser = user is not null && (session.ChangesLifetime || IsNewUser(version)),
        };
    }

    private bool IsNewUser(SessionVersion version) => version == SessionVersion.None || manager.ChangesUser(session.Work);

    private SessionRecord Closed(SessionRecord old, SessionState state, SessionKey target) => state == SessionState.Forward
        ? old.ClosedAs(state, _id, manager.Now + manager.Options.RotationGrace, target.ToBytes())
        : old.ClosedAs(state, _id, manager.Now + ClosedLifetime);
}
