using MessagePack;
using RedisSessions.Values;

namespace RedisSessions;

/// <summary>
/// The values of one visitor during one request, reached by dot notation: <c>session["account.current_user_id"]</c>. Reads and writes happen in memory; they
/// reach the store together, when the response starts or <see cref="CommitAsync"/> is called, and then either all or none of them.
/// </summary>
/// <remarks>
/// <para>Keys: <c>a.b.0.c</c> walks maps by key and lists by number. A key with dots that exists as such at the top wins when reading and removing.</para>
/// <para>Values: null, bool, integers, doubles, strings, bytes, timestamps, lists, maps, and objects of public classes, which become maps. A value is
/// a copy: changing an object after <c>Set</c> changes nothing stored. No type names are stored.</para>
/// <para>What of a large session comes from the store damaged is found when it is touched: any member may throw a <see cref="SessionStoreException"/> then, which
/// concerns that top-level key, and has changed nothing.</para>
/// <para>One session belongs to one request and is not for several threads at once.</para>
/// </remarks>
public sealed partial class Session
{
    /// <summary>The secret in the browser's cookie. Never log it, never send it anywhere else. It changes when a regeneration commits.</summary>
    public string Id => SessionId.Value;

    /// <summary>True until the session is stored for the first time: nothing came with the request, or what came is unknown or has ended.</summary>
    public bool IsNew => Base is null;

    /// <summary>True when this endpoint may only read.</summary>
    public bool IsReadOnly => Access == SessionAccess.ReadOnly;

    /// <summary>
    /// Cancelled when this request has exclusive access and lost it: it was paused for longer than <see cref="RedisSessionsOptions.LeaseDuration"/>, or the store could
    /// not be reached for so long. Others may be at work by then. Nothing they store is overwritten; long work had better stop. Never cancelled for other access.
    /// </summary>
    public CancellationToken LeaseLost => Lease?.Lost ?? CancellationToken.None;

    /// <summary>When the session was created; for a new one, when this request began to use it.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>A value, or null when it is missing: bool, long, double, string, byte[], DateTimeOffset, read-only list or read-only dictionary.</summary>
    /// <param name="key">Dot notation.</param>
    /// <exception cref="ArgumentException">The key is empty or reserved, or the value has no form in a session.</exception>
    /// <exception cref="InvalidOperationException">A write, and the session is read-only or destroyed.</exception>
    public object? this[string key]
    {
        get => Find(key, out var value) ? value.Kind != SessionValueKind.Foreign ? value.ToObject() : throw PhpAlone(key) : null;
        set => Set(key, value);
    }

    /// <summary>Whether a key is present, even when its value is null.</summary>
    /// <param name="key">Dot notation.</param>
    /// <exception cref="InvalidCastException">Something that only PHP can read is on the way.</exception>
    public bool Has(string key)
    {
        var path = SessionPath.Parse(key);
        return Work.Has(path) || IsMissing(path);
    }

    /// <summary>A value as a type.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="fallback">What a missing key reads as; and null, when <typeparamref name="T"/> cannot be null.</param>
    /// <exception cref="InvalidCastException">The value is something else.</exception>
    public T? Get<T>(string key, T? fallback = default)
    {
        if (!Find(key, out var value) || (value.Kind == SessionValueKind.Null && default(T) is not null))
            return fallback;
        try
        {
            return value.To<T>();
        }
        catch (MessagePackSerializationException e)
        {
            throw value.Kind == SessionValueKind.Foreign
                ? PhpAlone(key)
                : new InvalidCastException($"The session value '{key}' is a {value.Kind} and cannot be read as {typeof(T)}.", e);
        }
    }

    /// <summary>A value as a type, if it is present and of that type.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="value">The value.</param>
    public bool TryGet<T>(string key, out T? value)
    {
        value = default;
        if (!Work.Read(SessionPath.Parse(key), out var stored) || (stored.Kind == SessionValueKind.Null && default(T) is not null))
            return false;
        try
        {
            value = stored.To<T>();
            return true;
        }
        catch (MessagePackSerializationException)
        {
            return false;
        }
    }

    /// <summary>Sets a value, making the maps on its way and replacing what is none.</summary>
    /// <param name="key">Dot notation; always split at the dots.</param>
    /// <param name="value">Copied now.</param>
    /// <exception cref="ArgumentException">The key is empty or reserved, or the value has no form in a session.</exception>
    /// <exception cref="InvalidOperationException">The session is read-only or destroyed.</exception>
    public void Set<T>(string key, T value)
    {
        var path = Writable(key);
        Write(new SetChange(path, Fitting(path, value)));
    }

    /// <summary>Removes a key.</summary>
    /// <param name="key">Dot notation.</param>
    /// <returns>Whether it was there.</returns>
    public bool Remove(string key)
    {
        var path = Writable(key);
        MarkAnswer(path, presenceOnly: true);
        var present = Work.View.TryGet(path, out _);
        Write(new RemoveChange(path) { HasEffect = present });
        return present;
    }

    /// <summary>Removes all keys. The session stays, with its id; to end it, use <see cref="Destroy"/>.</summary>
    public void Clear() => Write(new ClearChange { HasEffect = All().Count > 0 });

    /// <summary>Reads a value and removes it. Of several requests that pull the same value, one gets it.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="fallback">What a missing key reads as.</param>
    public T? Pull<T>(string key, T? fallback = default)
    {
        var value = Get(key, fallback);
        Remove(key);
        return value;
    }

    /// <summary>Adds to an integer, from 0 when it is missing. Commutes: concurrent increments all count, and none of them conflicts.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="by">What to add; may be negative.</param>
    /// <returns>
    /// The sum as this request sees it, which others may have counted past meanwhile. Inside <see cref="UpdateAsync(Action{Session}, CancellationToken)"/> it is
    /// exact: the delegate runs again if it was not.
    /// </returns>
    /// <exception cref="InvalidOperationException">Something other than an integer is there, or the sum does not fit in 64 bits.</exception>
    public long Increment(string key, long by = 1)
    {
        var change = new IncrementChange(Writable(key), by);
        MarkAnswer(change.Path, presenceOnly: false);
        Write(change);
        Work.View.TryGet(change.Path, out var sum);
        // A literal key of this name hides the sum from reading; then the path's own value is the answer.
        return sum.TryGetInteger(out var value) ? value : by;
    }

    /// <summary>Adds an element to the end of a list, making the list when it is missing. Commutes with other pushes, except for their order.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="value">Copied now.</param>
    /// <exception cref="InvalidOperationException">Something other than a list is there.</exception>
    public void Push<T>(string key, T value) => Add(key, value, first: false);

    /// <summary>Adds an element to the beginning of a list, making the list when it is missing.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="value">Copied now.</param>
    /// <exception cref="InvalidOperationException">Something other than a list is there.</exception>
    public void Prepend<T>(string key, T value) => Add(key, value, first: true);

    /// <summary>Sets a value for this request and the next one only: a message after a redirect.</summary>
    /// <param name="key">Dot notation.</param>
    /// <param name="value">Copied now.</param>
    public void Flash<T>(string key, T value)
    {
        var path = Writable(key);
        Write(new FlashChange(path, Fitting(path, value), Work.FlashHasAged));
    }

    /// <summary>Keeps all flashed values for one more request.</summary>
    public void Reflash() => Write(new KeepChange(null, Work.FlashHasAged));

    /// <summary>Keeps some flashed values for one more request.</summary>
    /// <param name="keys">The keys they were flashed under.</param>
    public void Keep(params string[] keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Write(new KeepChange([.. keys], Work.FlashHasAged));
    }

    /// <summary>
    /// All values, as nested read-only dictionaries and lists; without those that only PHP can read. Looking at everything is no read that a decision rests on: it causes no conflict.
    /// </summary>
    public IReadOnlyDictionary<string, object?> All()
    {
        if (HoldsForeign)
            return AllButForeign();
        var all = (IReadOnlyDictionary<string, object?>)Work.View.ToValue().ToObject()!;
        return all.Keys.Any(key => ReservedKeys.Contain(SessionPath.Literal(key)))
            ? all.Where(pair => !ReservedKeys.Contain(SessionPath.Literal(pair.Key))).ToDictionary(StringComparer.Ordinal).AsReadOnly()
            : all;
    }

    /// <summary>The same values for code that knows no paths: keys with dots are taken literally, and values are bytes.</summary>
    public SessionLiterals Literals => new(this);

    /// <summary>
    /// Gives the session a new id when it commits. Do it with <paramref name="deleteOld"/> whenever privileges change: at login, at least.
    /// </summary>
    /// <param name="deleteOld">
    /// True: the old id is dead at once and for good, also for requests under way with it. False: for <see cref="RedisSessionsOptions.RotationGrace"/> the old id
    /// leads to the new session.
    /// </param>
    public void RegenerateId(bool deleteOld = false)
    {
        ThrowIfReadOnly();
        ThrowIfClosed();
        Fate = deleteOld || Fate == SessionFate.Replace ? SessionFate.Replace : SessionFate.Rotate;
    }

    /// <summary>Ends the session when it commits: its values are gone, and no other request can bring them back.</summary>
    /// <param name="expireCookie">Also tell the browser to forget the cookie.</param>
    public void Destroy(bool expireCookie = false)
    {
        ThrowIfReadOnly();
        Fate = SessionFate.Destroy;
        ExpireCookie |= expireCookie;
        Work.Empty();
    }

    /// <summary>Commits now instead of when the response starts. What follows is a commit of its own.</summary>
    /// <param name="cancellationToken">Gives up waiting; a commit already sent is not taken back.</param>
    /// <exception cref="SessionConflictException">Another request changed what this one has read, or the session has ended. Nothing was stored.</exception>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    /// <exception cref="SessionTooLargeException">The session is larger than <see cref="RedisSessionsOptions.MaxSize"/>. Nothing was stored.</exception>
    public ValueTask CommitAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfUpdating();
        return _manager.CommitAsync(this, cancellationToken);
    }

    /// <summary>Runs a change and commits it, and runs it again on the newer values whenever another request was faster.</summary>
    /// <param name="change">May run several times: no effects outside the session, please.</param>
    /// <param name="cancellationToken">Gives up waiting; a commit already sent is not taken back.</param>
    /// <exception cref="SessionConflictException">
    /// The session has ended; or what this request had read before was changed; or the tries ran out. Nothing was stored.
    /// </exception>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    /// <exception cref="SessionTooLargeException">The session is larger than <see cref="RedisSessionsOptions.MaxSize"/>. Nothing was stored.</exception>
    public async ValueTask UpdateAsync(Action<Session> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        await TransactAsync(change, static (session, change) => { change(session); return new ValueTask<bool>(true); }, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="UpdateAsync(Action{Session}, CancellationToken)"/>
    /// <returns>What the run that was committed returned.</returns>
    public ValueTask<T> UpdateAsync<T>(Func<Session, T> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return TransactAsync(change, static (session, change) => new ValueTask<T>(change(session)), cancellationToken);
    }

    /// <inheritdoc cref="UpdateAsync(Action{Session}, CancellationToken)"/>
    public async ValueTask UpdateAsync(Func<Session, Task> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        await TransactAsync(
            change,
            static async ValueTask<bool> (session, change) =>
            {
                await change(session).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="UpdateAsync(Action{Session}, CancellationToken)"/>
    /// <returns>What the run that was committed returned.</returns>
    public ValueTask<T> UpdateAsync<T>(Func<Session, Task<T>> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        return TransactAsync(change, static (session, change) => new ValueTask<T>(change(session)), cancellationToken);
    }
}
