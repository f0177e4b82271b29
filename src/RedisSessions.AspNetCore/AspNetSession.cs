using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RedisSessions;

/// <summary>
/// ASP.NET Core's own <see cref="ISession"/> over the request's <see cref="Session"/>: one record, one commit, one set of guarantees. Keys are literal: a dot is a dot.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="session">Its session, loaded already.</param>
/// <param name="isAvailable">Whether the store could be read.</param>
internal sealed class AspNetSession(HttpContext context, Session session, bool isAvailable) : ISession
{
    // The framework's own limit, so that what is stored here could be stored there.
    private const int LongestKey = ushort.MaxValue;

    public bool IsAvailable => isAvailable;

    /// <summary>Names the session in logs and tables, which is what applications use this for. It is the key in the store, never the secret in the cookie.</summary>
    public string Id => Name(session);

    public IEnumerable<string> Keys => session.Literals.Keys;

    /// <summary>The middleware has loaded the session already; and if it could not, the request goes on because the application wants it so.</summary>
    public Task LoadAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : Task.CompletedTask;

    public Task CommitAsync(CancellationToken cancellationToken = default) => session.CommitAsync(cancellationToken).AsTask();

    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value) => session.Literals.TryGet(key, out value);

    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (Encoding.UTF8.GetByteCount(key) > LongestKey)
            throw new ArgumentOutOfRangeException(nameof(key), string.Create(CultureInfo.InvariantCulture, $"A session key has at most {LongestKey} bytes in UTF-8."));
        if (session.IsNew && context.Response.HasStarted)
            throw new InvalidOperationException("The session cannot begin after the response has started: its cookie could not be sent any more.");
        session.Literals.Set(key, value);
    }

    public void Remove(string key) => session.Literals.Remove(key);

    public void Clear() => session.Clear();

    private static string Name(Session session) =>
        SessionId.TryParse(session.Id, out var id) || SessionId.TryParse(session.Id, SessionIdFormat.Php, out id)
            ? SessionKey.From(id).Value
            : throw new InvalidOperationException("The session has no id.");
}
