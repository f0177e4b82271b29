using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// A record in the place of a PHP application's own, for handlers with a <see cref="SessionLayout"/>: the bytes are a PHP session and nothing else. What a record has besides its values
/// (creation, deadline, commit ids) is one more key of the session, <c>_session</c>, which PHP carries along and has no use for. The version is a digest of the bytes, because PHP counts
/// no versions.
/// </summary>
/// <param name="format">How PHP encodes the session.</param>
/// <param name="absoluteTimeout">The absolute timeout of sessions that PHP has made: it counts from the first commit here.</param>
public sealed class PhpRecordFormat(PhpSessionFormat format, TimeSpan absoluteTimeout)
{
    private static readonly SessionPath Header = SessionPath.Parse(ReservedKeys.Session + ".record");
    private static readonly SessionPath Target = SessionPath.Parse(ReservedKeys.Session + ".to");
    private static readonly SessionPath Owner = SessionPath.Parse(ReservedKeys.Session + ".of");

    /// <summary>How PHP encodes the session.</summary>
    public PhpSessionFormat Format => format;

    /// <summary>The ids that sessions of a layout have.</summary>
    public static SessionIdFormat IdsOf(SessionLayout layout) => layout switch
    {
        SessionLayout.Standard => SessionIdFormat.Standard,
        SessionLayout.Laravel => SessionIdFormat.Laravel,
        _ => SessionIdFormat.Php,
    };

    /// <summary>The version of what is stored: the first eight bytes of its SHA-1, in big-endian order.</summary>
    /// <remarks>Redis has SHA-1 in its scripts and no other digest. Whoever can make two sessions with one version has both of them already.</remarks>
    public static SessionVersion VersionOf(ReadOnlySpan<byte> stored)
    {
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(stored, digest);
        return SessionVersion.FromValue(BinaryPrimitives.ReadUInt64BigEndian(digest));
    }

    /// <summary>Reads a record.</summary>
    /// <param name="key">The session that it was found under.</param>
    /// <param name="stored">What is stored. The record keeps no part of it.</param>
    /// <param name="now">A session that PHP has made begins now, as far as is known.</param>
    /// <exception cref="FormatException">This is no session in this format; the message says what is wrong and quotes nothing.</exception>
    public SessionRecord Read(SessionKey key, ReadOnlyMemory<byte> stored, DateTimeOffset now)
    {
        var payload = PhpSessionSerializer.Read(stored, format, out var holdsForeign);
        var tree = SessionTree.Read(payload);
        var version = VersionOf(stored.Span);
        var header = HeaderIn(tree);
        if (header is { State: not SessionState.Live })
        {
            if (Closed(key, tree, header, version) is { } closed)
                return closed;
            header = null;
        }

        var values = tree.TryGet(ReservedKeys.Root, out _) ? WithoutHeader(tree) : payload;
        var created = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds());
        return new SessionRecord
        {
            Version = version,
            CreatedAt = header?.CreatedAt ?? created,
            AbsoluteDeadline = header?.AbsoluteDeadline ?? created + absoluteTimeout,
            IdleTimeout = header?.IdleTimeout,
            CommitIds = header?.CommitIds ?? [],
            PayloadFormat = PayloadFormat.MessagePack,
            Payload = values,
            HoldsForeign = holdsForeign,
        };
    }

    /// <summary>Writes a record, which has the version of these bytes from then on.</summary>
    /// <param name="key">The session that it is stored for.</param>
    /// <param name="record">The record.</param>
    /// <param name="current">
    /// What is stored now, for a <see cref="SessionState.Forward"/>: requests of PHP that are on their way with the old id go on with a copy, as after PHP's own regeneration. Empty for
    /// any other.
    /// </param>
    /// <exception cref="FormatException">The session cannot be written as PHP; the message says why, and names a key at most.</exception>
    public byte[] Write(SessionKey key, SessionRecord record, ReadOnlyMemory<byte> current = default)
    {
        ArgumentNullException.ThrowIfNull(record);
        var tree = SessionTree.Empty();
        if (record.State == SessionState.Live)
        {
            if (record.PayloadFormat != PayloadFormat.MessagePack)
                throw new FormatException("a session that is shared with PHP cannot be encrypted (ProtectPayload)");
            tree = SessionTree.Read(record.Payload).Fork();
        }
        else if (record.State == SessionState.Forward && !current.IsEmpty)
        {
            tree = SessionTree.Read(PhpSessionSerializer.Read(current, format)).Fork();
        }

        if (record.State == SessionState.Forward)
            tree.Set(Target, SessionValue.From(Encoding.ASCII.GetString(record.Payload.Span)));
        if (record.State != SessionState.Live)
            tree.Set(Owner, SessionValue.From(key.Value));
        tree.Set(Header, SessionValue.From(Convert.ToBase64String(RecordFormat.Write(new SessionRecord
        {
            // A digest of these bytes cannot stand in them.
            Version = new SessionVersion(1),
            State = record.State,
            CreatedAt = record.CreatedAt,
            AbsoluteDeadline = record.AbsoluteDeadline,
            IdleTimeout = record.IdleTimeout,
            CommitIds = record.CommitIds,
        }))));
        var stored = PhpSessionSerializer.Write(tree.ToPayload(), format);
        record.StoredAs(VersionOf(stored));
        return stored;
    }

    /// <summary>
    /// Whether a conflict tells if a commit whose answer was lost was stored: it was not if a commit that it stands on is the last one that the store knows of. When it cannot be told,
    /// the commit must not be tried again.
    /// </summary>
    /// <param name="commit">What was to be stored.</param>
    /// <param name="current">What is there instead.</param>
    public static bool TellsWhether(SessionRecord commit, SessionRecord current)
    {
        ArgumentNullException.ThrowIfNull(commit);
        ArgumentNullException.ThrowIfNull(current);
        if (commit.CommitIds.Length == 0 || current.HasCommit(commit.CommitIds[0]))
            return true;
        // PHP carries the ids along, unless it has emptied the session.
        return commit.CommitIds.Length > 1 ? current.HasCommit(commit.CommitIds[1]) : current.CommitIds.Length is > 0 and < SessionRecord.MaxCommitIds;
    }

    /// <summary>
    /// A closed record; null when PHP has made a session of it since. PHP gives the values of a session to the one that follows it, this key too, so it counts only for the session that it
    /// was written for; and PHP adopts an id whose session has ended, as soon as it stores something there.
    /// </summary>
    private static SessionRecord? Closed(SessionKey key, SessionTree tree, SessionRecord header, SessionVersion version)
    {
        if (Text(tree, Owner) != key.Value || (header.State != SessionState.Forward && tree.Sizes().Skip(1).Any()))
            return null;
        return new SessionRecord
        {
            Version = version,
            State = header.State,
            CreatedAt = header.CreatedAt,
            AbsoluteDeadline = header.AbsoluteDeadline,
            CommitIds = header.CommitIds,
            Payload = header.State == SessionState.Forward ? Encoding.ASCII.GetBytes(Text(tree, Target) ?? "") : default,
        };
    }

    /// <summary>What this library has written about the record; null when it has not, or when it is none any more: PHP can write what it likes there.</summary>
    private static SessionRecord? HeaderIn(SessionTree tree)
    {
        var text = Text(tree, Header);
        var bytes = new byte[RecordFormat.HeaderLength];
        if (text is null || !Convert.TryFromBase64String(text, bytes, out var length) || length != bytes.Length)
            return null;
        try
        {
            return RecordFormat.Read(bytes);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? Text(SessionTree tree, SessionPath path) =>
        tree.TryGet(path, out var value) && value.Kind == SessionValueKind.String ? value.To<string>() : null;

    private static ReadOnlyMemory<byte> WithoutHeader(SessionTree tree)
    {
        var values = tree.Fork();
        // A moment is text to PHP.
        var sent = Text(values, ReservedKeys.CookieSent);
        foreach (var path in new[] { Header, Target, Owner })
            values.Remove(path);
        if (sent is not null && DateTimeOffset.TryParse(sent, System.Globalization.CultureInfo.InvariantCulture, out var moment))
            values.Set(ReservedKeys.CookieSent, SessionValue.From(moment));
        if (values.TryGet(ReservedKeys.Root, out var notes) && notes.IsEmpty)
            values.Remove(ReservedKeys.Root);
        // No index: PHP's form has none, and all of it was looked at.
        return values.ToValue().Bytes;
    }
}
