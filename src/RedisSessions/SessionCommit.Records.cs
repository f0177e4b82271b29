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
        // In clear, the values are written where the store's bytes are made, and only there.
        var isClear = manager.Sealing.IsClear;
        // PHP's records have no place for notes, and no directory.
        var hasNotes = user is not null && manager.IdFormat == SessionIdFormat.Standard;
        var keepsNotes = hasNotes && KeepsNotes(expected);
        var notes = !hasNotes ? default : keepsNotes ? session.Base!.Notes : NewNotes(user!, expected);
        var record = new SessionRecord
        {
            Version = expected.Next(_id),
            CreatedAt = created,
            AbsoluteDeadline = created + session.AbsoluteTimeout,
            IdleTimeout = session.OwnIdleTimeout,
            CommitIds = session.Base?.CommitIdsWith(_id) ?? [_id],
            PayloadFormat = PayloadFormat.MessagePack,
            Notes = notes,
            Values = isClear ? values : null,
            UserId = user,
            HoldsForeign = session.Base is { HoldsForeign: true },
            // A new deadline too: an index forgets a session when the one that it knows has passed.
            IndexUser = user is not null && (session.ChangesLifetime || IsNewUser(expected)),
        };
        return isClear ? record : record.Encrypted(
            !hasNotes || keepsNotes ? notes : manager.Seal(RecordSeal.Part.Notes, key, record, notes),
            manager.Seal(RecordSeal.Part.Payload, key, record, values.ToPayload()));
    }

    /// <summary>Whether the notes of the record that is there can be stored again as they are.</summary>
    private bool KeepsNotes(SessionVersion expected) =>
        session.Base is { Notes.IsEmpty: false } known && !IsNewUser(expected) && manager.Sealing.IsAsStoredNow(known)
        // What was encrypted repeats the deadlines.
        && (manager.Sealing.IsClear || !session.ChangesLifetime);

    /// <summary>Who has signed in: noted with the browser and the address when a user or a key is new, and as it was otherwise.</summary>
    private ReadOnlyMemory<byte> NewNotes(string user, SessionVersion expected)
    {
        var before = session.Base is { } known ? manager.NotesOf(known, session.Key) : null;
        var notes = before is not null && !IsNewUser(expected)
            ? before
            : new SessionNotes(
                user, session.UserAgent is { Length: > 0 } agent ? agent : before?.Agent, session.ClientAddress?.ToString() ?? before?.Address,
                before?.User == user ? before.SignedInAt : manager.Now);
        return notes.ToBytes();
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
