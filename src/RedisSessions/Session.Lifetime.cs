using System.Net;
using RedisSessions.Values;

namespace RedisSessions;

public sealed partial class Session
{
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(3650);
    private LifetimeChange _lifetime;

    /// <summary>
    /// How long this session lives without being used. Default: <see cref="RedisSessionsOptions.IdleTimeout"/>; set it for a session that is to live longer or shorter
    /// ("remember me"), and mind <see cref="AbsoluteTimeout"/>, which ends it all the same. Takes effect at commit; a new session is not stored for this alone.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than a second or more than 3650 days. Long ones are rounded up to the minute, hour or day.</exception>
    /// <exception cref="InvalidOperationException">Set, and the session is read-only or destroyed.</exception>
    public TimeSpan IdleTimeout
    {
        get => _lifetime.Idle ?? Base?.IdleTimeout ?? _manager.Options.IdleTimeout;
        set => _lifetime = _lifetime with { Idle = RecordFormat.Representable(Lifetime(value)) };
    }

    /// <summary>
    /// How long after its creation this session ends, however busy it is. Default: <see cref="RedisSessionsOptions.AbsoluteTimeout"/>. Takes effect at commit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Less than a second or more than 3650 days.</exception>
    /// <exception cref="InvalidOperationException">Set, and the session is read-only or destroyed.</exception>
    public TimeSpan AbsoluteTimeout
    {
        get => _lifetime.Absolute ?? (Base is { } stored ? stored.AbsoluteDeadline - stored.CreatedAt : _manager.Options.AbsoluteTimeout);
        set => _lifetime = _lifetime with { Absolute = Lifetime(value) };
    }

    /// <summary>
    /// Whether the cookie outlives the browser: it is then sent with the time that the session has left, and sent again whenever a tenth of
    /// <see cref="IdleTimeout"/> has passed. Default: false, the cookie goes with the browser.
    /// </summary>
    /// <exception cref="InvalidOperationException">Set, and the session is read-only or destroyed.</exception>
    public bool IsPersistent
    {
        get => ReservedKeys.CookieSentIn(Work.View) is not null;
        set
        {
            if (value == IsPersistent)
                return;
            Write(value ? new SetChange(ReservedKeys.CookieSent, SessionValue.From(_manager.Now)) : new RemoveChange(ReservedKeys.CookieSent));
            SendCookieAtNextCommit();
        }
    }

    /// <summary>
    /// The browser, as it called itself. <see cref="ISessionDirectory"/> shows what it was when the user signed in; the middleware sets it from the request. At most 256
    /// characters are kept, and only for sessions of a user (<see cref="RedisSessionsOptions.UserKey"/>).
    /// </summary>
    public string? UserAgent { get; set; }

    /// <summary>
    /// The address that the request came from. <see cref="ISessionDirectory"/> shows what it was when the user signed in; the middleware sets it from the
    /// connection, so behind a proxy the forwarded headers middleware has to run before it. Kept only for sessions of a user.
    /// </summary>
    public IPAddress? ClientAddress { get; set; }

    /// <summary>A commit that sends the cookie again, when it is one that outlives the browser and has been on its way for a tenth of its time.</summary>
    internal void KeepCookieAlive()
    {
        if (IsReadOnly || ReservedKeys.CookieSentIn(Work.View) is not { } sent || _manager.Now - sent <= IdleTimeout / 10)
            return;
        Write(new NoteChange(ReservedKeys.CookieSent, SessionValue.From(_manager.Now)));
        SendCookieAtNextCommit();
    }

    /// <summary>The browser gets the cookie with the next commit, whatever that is about.</summary>
    internal void SendCookieAtNextCommit() => _lifetime = _lifetime with { SendsCookie = true };

    internal bool ChangesLifetime => _lifetime.IsSet;

    internal TimeSpan? OwnIdleTimeout => _lifetime.Idle ?? Base?.IdleTimeout;

    private TimeSpan Lifetime(TimeSpan value)
    {
        ThrowIfReadOnly();
        ThrowIfClosed();
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LongestLifetime);
        return value;
    }

    /// <summary>What this request changes about the lifetime; the last one to commit decides.</summary>
    internal readonly record struct LifetimeChange(TimeSpan? Idle, TimeSpan? Absolute, bool SendsCookie)
    {
        public bool IsSet => Idle is not null || Absolute is not null;
    }
}
