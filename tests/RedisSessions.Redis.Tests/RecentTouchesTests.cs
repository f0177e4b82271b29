using Microsoft.Extensions.Time.Testing;
using RedisSessions.Redis;

namespace RedisSessions.Redis.Tests;

public sealed class RecentTouchesTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5), Moment = TimeSpan.FromMilliseconds(1);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_touch_is_recent_for_an_interval_and_not_longer()
    {
        var touches = new RecentTouches(Interval, _time);
        var key = SessionKey.From(SessionId.New());
        Assert.False(touches.Contains(key, 0));
        for (var i = 0; i < 3; i++)
        {
            touches.Add(key, 0);
            Assert.True(touches.Contains(key, 0));
            _time.Advance(Interval - Moment);
            Assert.True(touches.Contains(key, 0));
            _time.Advance(Moment);
            Assert.False(touches.Contains(key, 0));
        }
    }

    [Fact]
    public void Looking_makes_no_touch_longer()
    {
        var touches = new RecentTouches(Interval, _time);
        var key = SessionKey.From(SessionId.New());
        touches.Add(key, 0);
        for (var i = 0; i < 9; i++)
        {
            _time.Advance(Interval / 10);
            Assert.True(touches.Contains(key, 0));
        }

        _time.Advance(Interval / 10);
        Assert.False(touches.Contains(key, 0));
    }

    [Fact]
    public void Nobody_else_is_found_and_of_many_only_some_are_forgotten()
    {
        var touches = new RecentTouches(Interval, _time);
        var keys = Enumerable.Range(0, 20_000).Select(_ => SessionKey.From(SessionId.New())).ToList();
        Assert.DoesNotContain(keys, key => touches.Contains(key, 0));
        foreach (var key in keys)
            touches.Add(key, 0);
        // As many as share one of 65,536 places with somebody who came later: 14 %, were they thrown in at random.
        Assert.InRange(keys.Count(key => !touches.Contains(key, 0)), 2_000, 3_600);
        Assert.DoesNotContain(Enumerable.Range(0, 20_000).Select(_ => SessionKey.From(SessionId.New())), key => touches.Contains(key, 0));
    }

    [Fact]
    public void What_was_touched_over_another_connection_is_not_recent()
    {
        var touches = new RecentTouches(Interval, _time);
        var key = SessionKey.From(SessionId.New());
        touches.Add(key, 6);
        Assert.True(touches.Contains(key, 6));
        Assert.False(touches.Contains(key, 7));
        touches.Add(key, 7);
        Assert.True(touches.Contains(key, 7));
    }
}
