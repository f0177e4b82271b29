using RedisSessions.Values;

namespace RedisSessions;

// What is stored: the session as a record.
internal sealed partial class SessionCommit
{
    // The values of the record that is being stored, as they are before encryption.
    private SessionTree _values = SessionTree.Empty();

    /// <summary>The session as this request leaves it, as a record for a key.</summary>
    /// <param name="key">Where it is to be stored.</param>
    /// <param name="expected">The version that is there.</param>
    private SessionRecord Next(SessionKey key, SessionVersion expected) => Sealed(key, expected, session.Work.ShareView());

    private SessionRecord Sealed(SessionKey key, SessionVersion expected, SessionTree values)
    {
        var size = values.Size;
        if (size > manager.Options.MaxSize)
        {
            var largest = values.Sizes().OrderByDescending(entry => entry.Size).Take(3).Select(entry => $"{entry.Key} ({entry.Size} bytes)");
            throw new SessionTooLargeException(size, manager.Options.MaxSize, string.Join(", ", largest));
        }

        _values = values;
        var user = manager.UserOf(values);
        var created = session.Base?.CreatedAt ?? session.CreatedAt;
        var header = new SessionRecord
        {
            Version = expected.Next(_id),
            CreatedAt = created,
            AbsoluteDeadline = created + session.AbsoluteTimeout,
            IdleTimeout = session.OwnIdleTimeout,
            CommitIds = session.Base?.CommitIdsWith(_id) ?? [_id],
        };
        // In clear, the values are written where the store's bytes are made, and only there.
        var isClear = manager.Sealing.IsClear;
        return new SessionRecord
        {
            Version = header.Version,
            CreatedAt = header.CreatedAt,
            AbsoluteDeadline = header.AbsoluteDeadline,
            IdleTimeout = header.IdleTimeout,
            CommitIds = header.CommitIds,
            PayloadFormat = isClear ? PayloadFormat.MessagePack : PayloadFormat.Protected,
            // PHP's records have no place for notes, and no directory.
            Notes = user is null || manager.IdFormat != SessionIdFormat.Standard ? default : NotesOf(user, key, expected, header),
            Payload = isClear ? default : manager.Seal(RecordSeal.Part.Payload, key, header, values.ToPayload()),
            Values = isClear ? values : null,
            UserId = user,
            HoldsForeign = session.Base is { HoldsForeign: true },
            // A new deadline too: an index forgets a session when the one that it knows has passed.
            IndexUser = user is not null && (session.ChangesLifetime || IsNewUser(expected)),
        };
    }

    /// <summary>Who has signed in, as it is stored: noted with the browser and the address when a user or a key is new, and kept as it is otherwise.</summary>
    private ReadOnlyMemory<byte> NotesOf(string user, SessionKey key, SessionVersion expected, SessionRecord header)
    {
        var known = session.Base;
        var isNew = IsNewUser(expected) || known is not { Notes.IsEmpty: false };
        // What was encrypted repeats the deadlines.
        if (!isNew && manager.Sealing.IsAsStoredNow(known!) && (manager.Sealing.IsClear || !session.ChangesLifetime))
            return known!.Notes;
        var before = known is null ? null : manager.NotesOf(known, session.Key);
        var notes = isNew
            ? new SessionNotes(
                user, session.UserAgent is { Length: > 0 } agent ? agent : before?.Agent, session.ClientAddress?.ToString() ?? before?.Address,
                before?.User == user ? before.SignedInAt : manager.Now)
            : before!;
        return manager.Seal(RecordSeal.Part.Notes, key, header, notes.ToBytes());
    }

    private bool IsNewUser(SessionVersion expected) => expected == SessionVersion.None || manager.ChangesUser(session.Work);

    /// <summary>What stays under an id that the session has left. It says where the session is, encrypted where values are.</summary>
    private SessionRecord Moved(SessionRecord old, SessionKey key, SessionState state, SessionKey target)
    {
        var closed = old.ClosedAs(state, _id, manager.Now + (state == SessionState.Forward ? manager.Options.RotationGrace : ClosedLifetime));
        var content = manager.Seal(RecordSeal.Part.Target, key, closed, target.ToBytes());
        return closed.LeadingTo((manager.Sealing.IsClear ? PayloadFormat.None : PayloadFormat.Protected, content));
    }
}
