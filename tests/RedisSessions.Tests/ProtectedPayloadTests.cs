using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Encryption as the engine sees it: everything works as before, and nothing in the store can be read or exchanged.</summary>
public sealed class ProtectedPayloadTests
{
    private readonly Engine _engine = new();
    private readonly SessionManager _manager;

    private readonly Seal _seal = new();

    public ProtectedPayloadTests() => _manager = New(_seal);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_stored_is_not_the_values_and_is_read_back_as_them()
    {
        var session = await StoredAsync("number", "4111 1111 1111 1111");
        var record = _engine.Store.Peek(session.Key)!;
        Assert.Equal(PayloadFormat.Protected, record.PayloadFormat);
        Assert.DoesNotContain("4111", Encoding.Latin1.GetString(record.Payload.Span), StringComparison.Ordinal);
        Assert.Equal("4111 1111 1111 1111", (await LoadAsync(session)).Get<string>("number"));
        // The request goes on from what it has stored, not from what that looks like.
        Assert.Equal("4111 1111 1111 1111", session.Get<string>("number"));
    }

    [Fact]
    public async Task A_conflict_is_replayed_on_what_is_decrypted()
    {
        var session = await StoredAsync("n", 1);
        var (one, other) = (await LoadAsync(session), await LoadAsync(session));
        one["a"] = 1;
        other.Increment("n");
        await one.CommitAsync(Token);
        await other.CommitAsync(Token);
        var seen = await LoadAsync(session);
        Assert.Equal((1, 2), (seen.Get<int>("a"), seen.Get<int>("n")));
    }

    [Fact]
    public async Task A_new_id_means_a_payload_for_the_new_id()
    {
        var session = await StoredAsync("n", 1);
        session.RegenerateId(deleteOld: true);
        await session.CommitAsync(Token);
        Assert.Equal(1, (await LoadAsync(session)).Get<int>("n"));
    }

    [Fact]
    public async Task A_lost_answer_is_recognised()
    {
        var session = await StoredAsync("n", 1);
        var request = await LoadAsync(session);
        request.Increment("n");
        _engine.Handler.LoseNextAnswer();
        await request.CommitAsync(Token);
        Assert.Equal(2, request.Get<int>("n"));
        Assert.Equal(2, (await LoadAsync(session)).Get<int>("n"));
    }

    [Fact]
    public async Task A_payload_that_was_put_under_another_session_is_refused()
    {
        var (mine, victims) = (await StoredAsync("user", "me"), await StoredAsync("user", "victim"));
        _engine.Store.Plant(mine.Key, RecordFormat.Write(_engine.Store.Peek(victims.Key)!));
        var e = await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(mine));
        Assert.Contains("for another session", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(mine.Id, e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_payload_that_was_changed_is_refused_and_stays_where_it_is()
    {
        var session = await StoredAsync("n", 1);
        var bytes = RecordFormat.Write(_engine.Store.Peek(session.Key)!);
        bytes[^1] ^= 1;
        _engine.Store.Plant(session.Key, bytes);
        await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(session));
        Assert.Equal(bytes, RecordFormat.Write(_engine.Store.Peek(session.Key)!));
    }

    [Fact]
    public async Task While_switching_on_what_is_not_encrypted_is_read_and_encrypted_at_its_next_commit()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var session = await _manager.LoadAsync(id, cancellationToken: Token);
        Assert.Equal(1, session.Get<int>("n"));
        session["n"] = 2;
        await session.CommitAsync(Token);
        Assert.Equal(PayloadFormat.Protected, _engine.Store.Peek(session.Key)!.PayloadFormat);
    }

    [Fact]
    public async Task Once_switched_on_what_is_not_encrypted_is_refused()
    {
        var id = await _engine.StoredAsync(("n", 1));
        var strict = New(new Seal { AcceptsUnprotected = false });
        var e = await Assert.ThrowsAsync<SessionStoreException>(() => strict.LoadAsync(id, cancellationToken: Token).AsTask());
        Assert.Contains("not encrypted", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_instance_that_cannot_decrypt_says_what_is_missing()
    {
        var session = await StoredAsync("n", 1);
        var e = await Assert.ThrowsAsync<SessionStoreException>(() => _engine.Other.LoadAsync(session.SessionId, cancellationToken: Token).AsTask());
        Assert.Contains("ProtectPayload()", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forward_that_was_planted_under_another_id_leads_nowhere()
    {
        // The attacker can write to the store, has a cookie, and knows the victim's key: it is the name of a record there.
        var (mine, victims) = (await StoredAsync("user", "me"), await StoredAsync("user", "victim"));
        foreach (var accepts in new[] { false, true })
        {
            var manager = New(new Seal { AcceptsUnprotected = accepts });
            _engine.Store.Plant(mine.Key, RecordFormat.Write(new SessionRecord
            {
                Version = new SessionVersion(2),
                State = SessionState.Forward,
                CreatedAt = _engine.Time.GetUtcNow(),
                AbsoluteDeadline = _engine.Time.GetUtcNow().AddHours(1),
                Payload = victims.Key.ToBytes(),
            }));
            var e = await Assert.ThrowsAsync<SessionStoreException>(() => manager.LoadAsync(mine.SessionId, cancellationToken: Token).AsTask());
            Assert.Contains("leads to another session and is not encrypted", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_forward_that_was_planted_in_the_way_of_a_commit_leads_nowhere_either()
    {
        var (mine, victims) = (await StoredAsync("user", "me"), await StoredAsync("user", "victim"));
        mine["stolen"] = true;
        _engine.Store.Plant(mine.Key, RecordFormat.Write(new SessionRecord
        {
            Version = new SessionVersion(9),
            State = SessionState.Forward,
            CreatedAt = _engine.Time.GetUtcNow(),
            AbsoluteDeadline = _engine.Time.GetUtcNow().AddHours(1),
            Payload = victims.Key.ToBytes(),
        }));
        await Assert.ThrowsAsync<SessionStoreException>(() => mine.CommitAsync(Token).AsTask());
        Assert.False((await LoadAsync(victims)).Has("stolen"));
    }

    [Fact]
    public async Task A_forward_of_ours_leads_to_its_session_and_under_another_id_nowhere()
    {
        var (session, other) = (await StoredAsync("n", 1), await StoredAsync("n", 2));
        var (old, oldId) = (session.Key, session.SessionId);
        session.RegenerateId();
        await session.CommitAsync(Token);
        Assert.Equal(PayloadFormat.Protected, _engine.Store.Peek(old)!.PayloadFormat);
        Assert.Equal(1, (await _manager.LoadAsync(oldId, cancellationToken: Token)).Get<int>("n"));

        _engine.Store.Plant(other.Key, RecordFormat.Write(_engine.Store.Peek(old)!));
        await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(other));
    }

    [Fact]
    public async Task An_end_in_clear_is_believed()
    {
        var session = await StoredAsync("n", 1);
        var strict = New(new Seal { AcceptsUnprotected = false });
        _engine.Store.Plant(session.Key, RecordFormat.Write(
            _engine.Store.Peek(session.Key)!.ClosedAs(SessionState.Ended, CommitId.New(), _engine.Time.GetUtcNow().AddMinutes(2))));
        Assert.True((await strict.LoadAsync(session.SessionId, cancellationToken: Token)).IsNew);
    }

    /// <summary>What the header says for the store is what was encrypted, or it is not believed.</summary>
    [Theory]
    [InlineData("created", 16, 23)]
    [InlineData("absolute deadline", 24, 31)]
    [InlineData("idle timeout", 6, 7)]
    public async Task A_header_that_was_changed_is_refused(string field, int from, int to)
    {
        var session = await StoredAsync("n", 1);
        var bytes = RecordFormat.Write(_engine.Store.Peek(session.Key)!);
        bytes[to] ^= 2;
        _engine.Store.Plant(session.Key, bytes);
        Assert.True(to > from, field);
        var e = await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(session));
        Assert.Contains("deadlines were changed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_that_was_changed_is_refused()
    {
        var session = await StoredAsync("n", 1);
        var (old, oldId) = (session.Key, session.SessionId);
        session.RegenerateId();
        await session.CommitAsync(Token);
        var forward = RecordFormat.Write(_engine.Store.Peek(old)!);
        forward[4] = (byte)SessionState.Live;
        _engine.Store.Plant(old, forward);
        await Assert.ThrowsAsync<SessionStoreException>(() => _manager.LoadAsync(oldId, cancellationToken: Token).AsTask());
        var live = RecordFormat.Write(_engine.Store.Peek(session.Key)!);
        live[4] = (byte)SessionState.Forward;
        _engine.Store.Plant(session.Key, live);
        await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(session));
    }

    [Fact]
    public async Task Notes_are_encrypted_too_and_no_part_takes_the_place_of_another()
    {
        var directory = new SessionDirectory(New(_seal, _engine.Store));
        var (ann, bob) = (await SignedInAsync("ann", "Firefox"), await SignedInAsync("bob", "Safari"));
        var (one, other) = (_engine.Store.Peek(ann.Key)!, _engine.Store.Peek(bob.Key)!);
        Assert.DoesNotContain("Firefox", Encoding.Latin1.GetString(RecordFormat.Write(one)), StringComparison.Ordinal);
        Assert.Equal("Firefox", Assert.Single(await directory.ListAsync("ann", null, Token)).UserAgent);

        foreach (var (notes, payload) in new[] { (other.Notes, one.Payload), (one.Payload, one.Payload), (SessionNotesInClear(), one.Payload) })
        {
            _engine.Store.Plant(ann.Key, RecordFormat.Write(With(one, notes, payload)));
            await Assert.ThrowsAsync<SessionStoreException>(() => directory.ListAsync("ann", null, Token).AsTask());
        }

        _engine.Store.Plant(ann.Key, RecordFormat.Write(With(one, one.Notes, one.Notes)));
        await Assert.ThrowsAsync<SessionStoreException>(() => LoadAsync(ann));
    }

    [Fact]
    public async Task Notes_survive_commits_new_deadlines_and_new_ids()
    {
        var directory = new SessionDirectory(New(_seal, _engine.Store));
        var session = await SignedInAsync("ann", "Firefox");
        var notes = _engine.Store.Peek(session.Key)!.Notes.ToArray();
        session["n"] = 1;
        await session.CommitAsync(Token);
        Assert.Equal(notes, _engine.Store.Peek(session.Key)!.Notes.ToArray());
        session.AbsoluteTimeout = TimeSpan.FromDays(30);
        session.IdleTimeout = TimeSpan.FromDays(1);
        await session.CommitAsync(Token);
        Assert.Equal("Firefox", Assert.Single(await directory.ListAsync("ann", null, Token)).UserAgent);
        session.RegenerateId();
        await session.CommitAsync(Token);
        Assert.Equal("Firefox", Assert.Single(await directory.ListAsync("ann", null, Token)).UserAgent);
    }

    [Fact]
    public async Task While_switching_on_notes_in_clear_are_read_and_encrypted_at_the_next_commit()
    {
        var clear = _engine.Other.Create();
        (clear.UserAgent, clear["account.current_user_id"]) = ("Firefox", "ann");
        await clear.CommitAsync(Token);
        var directory = new SessionDirectory(New(_seal, _engine.Store));
        Assert.Equal("Firefox", Assert.Single(await directory.ListAsync("ann", null, Token)).UserAgent);
        var session = await LoadAsync(clear);
        session["n"] = 1;
        await session.CommitAsync(Token);
        Assert.Equal("Firefox", Assert.Single(await directory.ListAsync("ann", null, Token)).UserAgent);
        Assert.DoesNotContain("Firefox", Encoding.Latin1.GetString(_engine.Store.Peek(session.Key)!.Notes.Span), StringComparison.Ordinal);
    }

    private static ReadOnlyMemory<byte> SessionNotesInClear() => new SessionNotes("ann", "Forged", null, null).ToBytes();

    private static SessionRecord With(SessionRecord record, ReadOnlyMemory<byte> notes, ReadOnlyMemory<byte> payload) => new()
    {
        Version = record.Version,
        CreatedAt = record.CreatedAt,
        AbsoluteDeadline = record.AbsoluteDeadline,
        CommitIds = record.CommitIds,
        PayloadFormat = record.PayloadFormat,
        Notes = notes,
        Payload = payload,
    };

    private async Task<Session> SignedInAsync(string user, string agent)
    {
        var session = _manager.Create();
        (session.UserAgent, session["account.current_user_id"]) = (agent, user);
        await session.CommitAsync(Token);
        return session;
    }

    private SessionManager New(ISessionPayloadProtector protector) => New(protector, _engine.Handler);

    private SessionManager New(ISessionPayloadProtector protector, ISessionHandler handler) =>
        new(handler, Microsoft.Extensions.Options.Options.Create(_engine.Options), _engine.Time, NullLogger<SessionManager>.Instance, protector);

    private Task<Session> LoadAsync(Session session) => _manager.LoadAsync(session.SessionId, cancellationToken: Token).AsTask();

    private async Task<Session> StoredAsync(string key, object value)
    {
        var session = _manager.Create();
        session[key] = value;
        await session.CommitAsync(Token);
        return session;
    }

    /// <summary>AES-GCM, which knows nothing of sessions: what binds a part to its record, the engine has put into the bytes.</summary>
    private sealed class Seal : ISessionPayloadProtector
    {
        private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

        public bool AcceptsUnprotected { get; init; } = true;

        public ReadOnlyMemory<byte> Protect(ReadOnlyMemory<byte> bytes)
        {
            using var aes = new AesGcm(_secret, 16);
            var sealedBytes = new byte[28 + bytes.Length];
            RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, 12));
            aes.Encrypt(sealedBytes.AsSpan(0, 12), bytes.Span, sealedBytes.AsSpan(28), sealedBytes.AsSpan(12, 16));
            return sealedBytes;
        }

        public ReadOnlyMemory<byte> Unprotect(ReadOnlyMemory<byte> bytes)
        {
            if (bytes.Length < 28)
                throw new CryptographicException("Too short.");
            using var aes = new AesGcm(_secret, 16);
            var clear = new byte[bytes.Length - 28];
            aes.Decrypt(bytes.Span[..12], bytes.Span[28..], bytes.Span[12..28], clear);
            return clear;
        }
    }
}
