using System.Diagnostics;
using System.Text.Json;
using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>Several instances as processes of their own over one store: what a web farm promises, whatever the store is.</summary>
public abstract partial class FarmTests(FarmTests.Farm farm)
{
    /// <summary>The instances over one store, and a way past them to what is stored.</summary>
    public abstract class Farm : IAsyncLifetime
    {
        private TargetAppProcess[] _instances = [];

        /// <summary>Where the sessions are; skips the test when there is no such place.</summary>
        public abstract string[] Settings { get; }

        protected virtual int Instances => 2;

        /// <summary>
        /// The instances, started by the first test that asks for them: only a test can be skipped, and a fixture that has no store would fail.
        /// </summary>
        public async Task<Uri[]> AddressesAsync()
        {
            if (_instances.Length == 0)
                _instances = await Task.WhenAll(Enumerable.Range(0, Instances).Select(_ => StartAsync()));
            return [.. _instances.Select(instance => instance.Address)];
        }

        public Task<TargetAppProcess> StartAsync() => TargetAppProcess.StartAsync(Settings, TestContext.Current.CancellationToken);

        /// <summary>The bytes of the record as they are stored; null when there is none.</summary>
        public abstract Task<byte[]?> BytesAsync(SessionKey key);

        /// <summary>Puts these bytes in the place of a record that is there.</summary>
        public abstract Task PlantAsync(SessionKey key, byte[] bytes);

        /// <summary>Looks at everything that is stored after instances were killed; fails when some of it is not whole.</summary>
        public virtual Task CheckAfterKillsAsync() => Task.CompletedTask;

        public ValueTask InitializeAsync() => ValueTask.CompletedTask;

        public virtual async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances)
                await instance.DisposeAsync();
            GC.SuppressFinalize(this);
        }
    }

    private async Task<Browser> SeededAsync()
    {
        var browser = new Browser(await farm.AddressesAsync());
        Assert.Equal("ok", (await browser.GetAsync("/seed")).Body);
        return browser;
    }

    private static async Task<JsonElement> AllAsync(Browser browser) => JsonDocument.Parse((await browser.GetAsync("/all")).Body).RootElement;

    /// <summary>
    /// The slow requests wait a second and a half after reading their session; quick ones that were sent after them and answered have been overtaken by their
    /// reads in all likelihood. If not, they read the session later, which these tests notice as a wrong answer and never as a right one.
    /// </summary>
    private async Task HaveBegunAsync(params Task[] slow)
    {
        using var other = new Browser(await farm.AddressesAsync());
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 6 || Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(300); i++)
            await other.GetAsync("/read");
        Assert.All(slow, task => Assert.False(task.IsCompleted, "the slow request was not slow"));
    }
}
