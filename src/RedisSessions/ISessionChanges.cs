namespace RedisSessions;

/// <summary>
/// A handler whose store carries messages between processes implements this too; it is what <see cref="RedisSessionsOptions.NearCache"/> rests on. Messages make old values rare;
/// safety is the version, which a commit compares whether a message came or not.
/// </summary>
public interface ISessionChanges
{
    /// <summary>
    /// Calls back of each change of a record that was there before, by any process that watches, this one included, and from now on sends such messages of this handler's own
    /// commits and deletions, no later than their answer. Returns at once: listening begins in the background, and begins again by itself.
    /// </summary>
    /// <param name="changed">
    /// The session's name and the version that it has now; <see cref="SessionVersion.None"/> when there is no record any more. Called on any thread, quickly and without throwing.
    /// </param>
    /// <param name="missed">Messages may have been lost. Called on any thread, quickly and without throwing.</param>
    /// <returns>Ends the calls.</returns>
    IDisposable Watch(Action<SessionKey, SessionVersion> changed, Action missed);

    /// <summary>Whether messages arrive, as far as is known. What is read while they do not is not to be kept.</summary>
    bool Arrive { get; }
}
