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

    public ProtectedPayloadTests() => _manager = New(new Seal());

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
        Assert.Contains("key ring", e.Message, StringComparison.Ordinal);
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

    private SessionManager New(ISessionPayloadProtector protector) =>
        new(_engine.Handler, Microsoft.Extensions.Options.Options.Create(_engine.Options), _engine.Time, NullLogger<SessionManager>.Instance, protector);

    private Task<Session> LoadAsync(Session session) => _manager.LoadAsync(session.SessionId, cancellationToken: Token).AsTask();

    private async Task<Session> StoredAsync(string key, object value)
    {
        var session = _manager.Create();
        session[key] = value;
        await session.CommitAsync(Token);
        return session;
    }

    /// <summary>AES-GCM with the session's key as what is authenticated besides.</summary>
    private sealed class Seal : ISessionPayloadProtector
    {
        private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

        public bool AcceptsUnprotected { get; init; } = true;

        public ReadOnlyMemory<byte> Protect(SessionKey key, ReadOnlyMemory<byte> payload)
        {
            using var aes = new AesGcm(_secret, 16);
            var sealedBytes = new byte[28 + payload.Length];
            RandomNumberGenerator.Fill(sealedBytes.AsSpan(0, 12));
            aes.Encrypt(sealedBytes.AsSpan(0, 12), payload.Span, sealedBytes.AsSpan(28), sealedBytes.AsSpan(12, 16), Encoding.ASCII.GetBytes(key.Value));
            return sealedBytes;
        }

        public ReadOnlyMemory<byte> Unprotect(SessionKey key, ReadOnlyMemory<byte> payload)
        {
            using var aes = new AesGcm(_secret, 16);
            var bytes = new byte[payload.Length - 28];
            aes.Decrypt(payload.Span[..12], payload.Span[28..], payload.Span[12..28], bytes, Encoding.ASCII.GetBytes(key.Value));
            return bytes;
        }
    }
}
