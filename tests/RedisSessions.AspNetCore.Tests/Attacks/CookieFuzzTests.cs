using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace RedisSessions.AspNetCore.Tests.Attacks;

/// <summary>A hundred thousand cookies that were good once and then went through an attacker's hands, through the whole pipeline.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class CookieFuzzTests
{
    private const int Runs = 100_000, WarmUp = 10_000;
    private FixedSessions _store = null!;
    private ServiceProvider _services = null!;
    private RequestDelegate _pipeline = null!;
    private Exception? _unhandled;

    private void Build(SessionIdFormat format)
    {
        _store = new FixedSessions { IdFormat = format };
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton<IHostEnvironment>(new Production());
        services.AddLogging();
        services.AddSingleton(_store);
        services.AddRedisSessions().AddHandler<FixedSessions>("fixed");
        services.AddSingleton<ISessionHandler>(_store);
        _services = services.BuildServiceProvider();
        var app = new ApplicationBuilder(_services);
        app.UseRedisSessions();
        app.Run(async context =>
        {
            var session = context.GetSession();
            if (context.Request.Path == "/write")
                session["written"] = true;
            await context.Response.WriteAsync($"[{session["user"]}]", Encoding.UTF8);
        });
        _pipeline = app.Build();
    }

    [Theory]
    [InlineData(SessionIdFormat.Standard)]
    [InlineData(SessionIdFormat.Php)]
    [InlineData(SessionIdFormat.Laravel)]
    public async Task No_mutated_cookie_throws_opens_a_session_is_adopted_or_stays_in_memory(SessionIdFormat format)
    {
        Build(format);
        var id = _store.Add("somebody");
        var random = new Random(20260101);
        long before = 0;
        for (var run = 0; run < Runs; run++)
        {
            if (run == WarmUp)
                before = GC.GetTotalMemory(forceFullCollection: true);
            var cookie = run % 1000 == 0 ? $"__Host-session={id}" : Mutated($"__Host-session={id}", random);
            var context = await SendAsync(cookie, run % 3 == 0 ? "/write" : "/read");
            var body = Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());

            Assert.Null(_unhandled);
            Assert.Equal(200, context.Response.StatusCode);
            // Only the very id opens the session, in whatever shape the header is around it.
            if (body == "[somebody]")
                Assert.Contains(id, cookie, StringComparison.Ordinal);
            else
                Assert.Equal("[]", body);
            var issued = context.Response.Headers.SetCookie.ToString();
            Assert.Equal(body == "[]" && context.Request.Path == "/write", issued.Length > 0);
            if (issued.Length > 0)
                Assert.DoesNotContain(issued.Split('=', 2)[1].Split(';')[0], cookie, StringComparison.Ordinal);
        }

        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < 4 * 1024 * 1024, $"{Runs - WarmUp} cookies left {growth} bytes behind");
        Assert.Equal(1, _store.Count);
        Assert.True(_store.Creations > Runs / 6, "hardly any cookie was refused: the mutations are too tame");
    }

    private async Task<DefaultHttpContext> SendAsync(string cookie, string path)
    {
        await using var scope = _services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        var response = new StartingResponse();
        context.Features.Set<IHttpResponseFeature>(response);
        context.Features.Set<IHttpResponseBodyFeature>(new StartingBody(response));
        context.Request.Path = path;
        context.Request.Headers.Cookie = cookie;
        try
        {
            await _pipeline(context);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _unhandled = e;
        }

        response.Body = ((StartingBody)context.Features.Get<IHttpResponseBodyFeature>()!).Stream;
        return context;
    }

    private static string Mutated(string cookie, Random random)
    {
        var text = new StringBuilder(cookie);
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(9))
            {
                case 0: text[at] = (char)random.Next(1, 256); break;
                case 1: text.Remove(at, Math.Min(random.Next(1, 8), text.Length - at)).Append('x'); break;
                case 2: text.Insert(at, (char)random.Next(32, 127)); break;
                case 3: text.Insert(at, "%00\r\n=;\",\\ ".AsSpan(random.Next(8), 2)); break;
                case 4: text.Append("; ").Append(cookie.AsSpan(0, random.Next(16, cookie.Length))); break;
                case 5: text.Append('A', random.Next(1, 3000)); break;
                case 6: text[at] = char.IsLower(text[at]) ? char.ToUpperInvariant(text[at]) : char.ToLowerInvariant(text[at]); break;
                case 7: text.Insert(at, (char)random.Next(0x80, 0xd7ff)); break;
                default: (text[at], text[^1]) = (text[^1], text[at]); break;
            }
        }

        return text.ToString();
    }

    /// <summary>A store with the sessions that were put there; what is created is counted, and forgotten.</summary>
    private sealed class FixedSessions : ISessionHandler
    {
        private readonly ConcurrentDictionary<SessionKey, SessionRecord> _records = [];
        private int _creations;

        public SessionIdFormat IdFormat { get; init; }

        public int Count => _records.Count;

        public int Creations => _creations;

        public string Add(string user)
        {
            var id = SessionId.New(IdFormat);
            _records[SessionKey.From(id)] = new SessionRecord
            {
                Version = new SessionVersion(1), CreatedAt = DateTimeOffset.UtcNow, AbsoluteDeadline = DateTimeOffset.UtcNow.AddHours(12),
                PayloadFormat = PayloadFormat.MessagePack, Payload = (byte[])[0x81, 0xa4, .. "user"u8, (byte)(0xa0 + user.Length), .. Encoding.UTF8.GetBytes(user)],
            };
            return id.Value;
        }

        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken) => new(_records.GetValueOrDefault(key));

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            if (expected == SessionVersion.None)
                Interlocked.Increment(ref _creations);
            return new(CommitResult.Committed.Instance);
        }

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(false);
    }

    /// <summary>A response that starts with its first byte, as a server's does.</summary>
    private sealed class StartingResponse : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();

        public override bool HasStarted => Started;

        public bool Started { get; private set; }

        public override void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

        public async Task StartAsync()
        {
            if (Started)
                return;
            while (_starting.TryPop(out var starting))
                await starting.Callback(starting.State);
            Started = true;
        }
    }

    private sealed class StartingBody(StartingResponse response) : StreamResponseBodyFeature(new MemoryStream())
    {
        public override Task StartAsync(CancellationToken cancellationToken = default) => response.StartAsync();
    }

    private sealed class Production : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Production;

        public string ApplicationName { get; set; } = "fuzz";

        public string ContentRootPath { get; set; } = Path.GetTempPath();

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}

/// <summary>What these tests measure is the whole process, so nothing else runs beside them.</summary>
[CollectionDefinition(nameof(MeasuresMemory), DisableParallelization = true)]
public sealed class MeasuresMemory;
