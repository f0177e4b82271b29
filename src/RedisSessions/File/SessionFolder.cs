using RedisSessions.Locking;

namespace RedisSessions.FileStore;

/// <summary>The directory of all sessions: who may be at which of them, and one exception for what can go wrong. File names are session keys, which are hashes.</summary>
internal sealed class SessionFolder
{
    public const string LockSuffix = ".lock";

    private readonly FileHandlerOptions _options;
    private readonly TimeProvider _time;
    private readonly CommitQueue _queue = new();
    private readonly Lazy<string> _path;

    public SessionFolder(FileHandlerOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _path = new Lazy<string>(() => Make(System.IO.Path.GetFullPath(_options.Path)), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>What a crash has left is younger than this only while somebody may still be writing it.</summary>
    public static TimeSpan Leftover { get; } = TimeSpan.FromMinutes(10);

    /// <summary>Made on first use.</summary>
    public string Path => _path.Value;

    public bool FlushToDisk => _options.FlushToDisk;

    public DateTimeOffset Now => _time.GetUtcNow();

    public string PathOf(SessionKey key) => System.IO.Path.Combine(Path, key.Value);

    /// <summary>First the line within this process, then the lock among processes.</summary>
    public async ValueTask<Held> LockAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var turn = await _queue.EnterAsync(key, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false)
            ?? throw new TimeoutException("other requests of this process did not finish committing to the session");
        try
        {
            return new Held(turn, await FileLock.AcquireAsync(PathOf(key) + LockSuffix, _options.LockTimeout, _time, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>The record with its idle deadline, if that has not passed.</summary>
    /// <exception cref="FormatException">This is no record.</exception>
    public SessionRecord? Current(SessionFile.Contents? contents) =>
        contents is null || contents.IdleDeadline <= Now ? null : RecordFormat.Read(contents.Bytes);

    public async ValueTask<TResult> RunAsync<TState, TResult>(string verb, TState state, Func<TState, ValueTask<TResult>> run)
    {
        try
        {
            return await run(state).ConfigureAwait(false);
        }
        catch (Exception e) when (FileFailure.Is(e))
        {
            throw FileFailure.From(_options.Path, verb, e);
        }
    }

    /// <summary>Makes a directory, for this user alone.</summary>
    public static string Make(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>The right to change what belongs to one session; ends when disposed.</summary>
    public readonly struct Held(CommitQueue.Turn turn, FileStream file) : IDisposable
    {
        /// <summary>Removes the lock file.</summary>
        public void Remove(string path) => FileLock.Remove(file, path);

        public void Dispose()
        {
            file.Dispose();
            turn.Dispose();
        }
    }
}
