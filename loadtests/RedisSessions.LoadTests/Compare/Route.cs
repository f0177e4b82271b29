using System.Buffers.Text;
using System.Globalization;
using RedisSessions.LoadTests.Http;

namespace RedisSessions.LoadTests.Compare;

/// <summary>What the subjects are asked to do.</summary>
/// <param name="Name">Its path.</param>
/// <param name="Laps">How often each session's request is there, with different values, so that a write changes something.</param>
/// <param name="Path">Path and query of a lap.</param>
/// <param name="IsRight">Whether a body is the right answer.</param>
internal sealed record Route(string Name, int Laps, Func<int, string> Path, BodyCheck IsRight)
{
    public static readonly Route Hello = new("/hello", 1, static _ => "/hello", static body => body.SequenceEqual("hello"u8));

    public static readonly Route Read = new("/read", 1, static _ => "/read", static body => body.SequenceEqual("48151623"u8));

    public static readonly Route Set = new(
        "/set", 7, static lap => string.Create(CultureInfo.InvariantCulture, $"/set?key=ui.theme&val=theme-{lap}"), static body => body.SequenceEqual("ok"u8));

    public static readonly Route Increment = new(
        "/incr", 1, static _ => "/incr", static body => Utf8Parser.TryParse(body, out long n, out var used) && used == body.Length && n > 0);

    /// <summary>The requests for all sessions of a subject, in turn.</summary>
    public IReadOnlyList<byte[]> Requests(Subject subject) =>
        [.. Enumerable.Range(0, Laps).SelectMany(lap => subject.Cookies.Select(cookie => RequestBytes.Get(subject.Address, Path(lap), cookie)))];
}
