namespace RedisSessions.Conformance;

/// <summary>What the suite needs to know about a handler and its store. One instance serves a test class; the store may be shared with others.</summary>
public abstract class HandlerFixture : IAsyncLifetime
{
    /// <summary>A new handler over the same store that shares nothing in memory with the ones before: another instance of the farm.</summary>
    public abstract ValueTask<ISessionHandler> CreateHandlerAsync();

    /// <summary>The name in this handler's <see cref="SessionStoreException"/>s.</summary>
    public abstract string HandlerName { get; }

    /// <summary>The clock that the store and its handlers go by.</summary>
    public virtual TimeProvider Time => TimeProvider.System;

    /// <summary>Lets time pass: at least this long. A fixture over a fake clock advances it.</summary>
    public virtual async ValueTask ElapseAsync(TimeSpan time) => await Task.Delay(time, TestContext.Current.CancellationToken);

    /// <summary>An idle timeout that tests can afford to wait out. Over a real clock, long enough for a few calls to fit in well.</summary>
    public virtual TimeSpan ShortIdleTimeout => TimeSpan.FromMilliseconds(800);

    /// <summary>The same for an idle timeout of a session's own, which is of whole seconds; longer where the store itself counts in seconds.</summary>
    public virtual TimeSpan ShortOwnIdleTimeout => TimeSpan.FromSeconds(1);

    /// <summary>The largest payload that the suite stores. At least 1 MiB, which is the default of <see cref="RedisSessionsOptions.MaxSize"/>.</summary>
    public virtual int LargestPayload => 4 * 1024 * 1024;

    /// <summary>Whether a record is kept as the bytes of <see cref="RecordFormat"/>, so that others can damage them.</summary>
    public virtual bool KeepsBytes => true;

    /// <summary>Whether <see cref="SessionRecord.Notes"/> are kept. Stores of other software's records have no place for them.</summary>
    public virtual bool KeepsNotes => KeepsBytes;

    /// <summary>Whether the handler implements <see cref="ISessionLeases"/>. One that does not must say so here, or it fails by name.</summary>
    public virtual bool KeepsLeases => true;

    /// <summary>Whether the handler implements <see cref="ISessionIndex"/>. One that does not must say so here, or it fails by name.</summary>
    public virtual bool FindsUsers => true;

    /// <summary>Puts bytes where the record of a key is, past the handler. They last for a minute at least, and whose session it is stays what it was.</summary>
    public virtual ValueTask PlantAsync(SessionKey key, byte[] bytes) => throw new NotSupportedException($"{nameof(KeepsBytes)} is false.");

    /// <summary>The bytes where the record of a key is, past the handler; null when nothing is there.</summary>
    public virtual ValueTask<byte[]?> BytesAsync(SessionKey key) => throw new NotSupportedException($"{nameof(KeepsBytes)} is false.");

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
