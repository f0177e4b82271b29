using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests;

/// <summary>Settings as an application makes them: in code, in the section "Sessions", and refused at start when they cannot work.</summary>
public sealed class RedisSessionsOptionsTests
{
    private static readonly (string, string?)[] Nothing = [];

    [Fact]
    public void The_defaults_are_those_of_the_documentation()
    {
        var options = Build(Nothing, "one").GetRequiredService<IOptions<RedisSessionsOptions>>().Value;
        Assert.Equal(TimeSpan.FromMinutes(20), options.IdleTimeout);
        Assert.Equal(TimeSpan.FromHours(12), options.AbsoluteTimeout);
        Assert.Equal(1024 * 1024, options.MaxSize);
        Assert.Equal(ConflictBehavior.Reject, options.OnConflict);
        Assert.Equal(StoreFailureBehavior.Fail, options.OnStoreFailure);
        Assert.Equal(TimeSpan.FromSeconds(30), options.RotationGrace);
        Assert.Equal(1_000, options.CommitTries);
        Assert.Equal(TimeSpan.FromSeconds(10), options.CommitTimeout);
    }

    [Fact]
    public void Configuration_has_the_last_word_over_code()
    {
        var options = Build(
            [("Sessions:IdleTimeout", "00:05:00"), ("Sessions:OnConflict", "LastWriteWins"), ("Sessions:Handler", "two")],
            o => { o.IdleTimeout = TimeSpan.FromHours(1); o.MaxSize = 5000; },
            "one", "two").GetRequiredService<IOptions<RedisSessionsOptions>>().Value;
        Assert.Equal(TimeSpan.FromMinutes(5), options.IdleTimeout);
        Assert.Equal(5000, options.MaxSize);
        Assert.Equal(ConflictBehavior.LastWriteWins, options.OnConflict);
    }

    [Theory]
    [InlineData("IdleTimeout", "00:00:00.5", "Sessions:IdleTimeout is 00:00:00.5000000: it must be from 00:00:01 to 365.00:00:00.")]
    [InlineData("IdleTimeout", "366.00:00:00", "Sessions:IdleTimeout is 366.00:00:00: it must be from 00:00:01 to 365.00:00:00.")]
    [InlineData("AbsoluteTimeout", "00:10:00", "Sessions:AbsoluteTimeout is 00:10:00: it must be from 00:20:00 to 3650.00:00:00.")]
    [InlineData("MaxSize", "1000", "Sessions:MaxSize is 1000: it must be from 1024 to 67108864.")]
    [InlineData("MaxSize", "67108865", "Sessions:MaxSize is 67108865: it must be from 1024 to 67108864.")]
    [InlineData("RotationGrace", "00:00:00", "Sessions:RotationGrace is 00:00:00: it must be from 00:00:01 to 00:02:00.")]
    [InlineData("RotationGrace", "00:02:01", "Sessions:RotationGrace is 00:02:01: it must be from 00:00:01 to 00:02:00.")]
    [InlineData("CommitTries", "0", "Sessions:CommitTries is 0: it must be from 1 to 10000.")]
    [InlineData("CommitTimeout", "00:00:00.09", "Sessions:CommitTimeout is 00:00:00.0900000: it must be from 00:00:00.1000000 to 00:05:00.")]
    [InlineData("OnConflict", "5", "Sessions:OnConflict is 5: it must be Reject or LastWriteWins.")]
    [InlineData("OnStoreFailure", "5", "Sessions:OnStoreFailure is 5: it must be Fail or Anonymous.")]
    public void A_setting_that_cannot_work_is_refused_at_start_by_name_and_value(string setting, string value, string message)
    {
        var provider = Build([("Sessions:" + setting, value)], "one");
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Contains(message, error.Failures);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var provider = Build([("Sessions:MaxSize", "1"), ("Sessions:CommitTries", "0"), ("Sessions:Handler", "mine")], "one");
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Equal(3, error.Failures.Count());
    }

    [Fact]
    public void The_edges_of_the_ranges_are_allowed()
    {
        foreach (var (setting, value) in new[]
        {
            ("IdleTimeout", "00:00:01"), ("MaxSize", "1024"), ("MaxSize", "67108864"), ("RotationGrace", "00:00:01"), ("RotationGrace", "00:02:00"),
            ("CommitTries", "1"), ("CommitTries", "10000"), ("CommitTimeout", "00:00:00.1"), ("AbsoluteTimeout", "00:20:00"),
        })
        {
            Build([("Sessions:" + setting, value)], "one").GetRequiredService<IStartupValidator>().Validate();
        }
    }

    [Fact]
    public void The_only_handler_is_taken_when_none_is_named()
    {
        var provider = Build(Nothing, "one");
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.Same(provider.GetRequiredKeyedService<ISessionHandler>("one"), provider.GetRequiredService<ISessionHandler>());
        Assert.NotNull(provider.GetRequiredService<SessionManager>());
    }

    [Fact]
    public void The_named_one_of_several_handlers_is_taken()
    {
        var provider = Build([("Sessions:Handler", "two")], "one", "two");
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.Same(provider.GetRequiredKeyedService<ISessionHandler>("two"), provider.GetRequiredService<ISessionHandler>());
        Assert.NotSame(provider.GetRequiredKeyedService<ISessionHandler>("one"), provider.GetRequiredService<ISessionHandler>());
    }

    [Theory]
    [InlineData(null, new[] { "one", "two" }, "Sessions:Handler is not set and several handlers are registered (file, one, two): set it to one of them.")]
    [InlineData("redis", new[] { "one" }, "Sessions:Handler is \"redis\", which is not registered (registered: file, one): reference RedisSessions.Redis and call .AddRedis() after AddRedisSessions().")]
    [InlineData("mine", new string[0], "Sessions:Handler is \"mine\", which is not registered (registered: file): call .AddHandler<THandler>(\"mine\") after AddRedisSessions().")]
    [InlineData("One", new[] { "one" }, "Sessions:Handler is \"One\", which is not registered (registered: file, one): call .AddHandler<THandler>(\"One\") after AddRedisSessions().")]
    public void A_choice_that_cannot_be_made_fails_the_start_and_says_what_to_do(string? configured, string[] added, string message)
    {
        var provider = Build([("Sessions:Handler", configured)], added);
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Equal(message, Assert.Single(error.Failures));
    }

    [Fact]
    public void Files_are_used_when_nothing_else_was_added()
    {
        var provider = Build([]);
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.IsType<FileSessionHandler>(provider.GetRequiredService<ISessionHandler>());
    }

    [Theory]
    [InlineData("nosuch", "Sessions:ReadThrough is \"nosuch\", which is not registered (registered: file, one): call .AddHandler<THandler>(\"nosuch\") after AddRedisSessions().")]
    [InlineData("one", "Sessions:ReadThrough is \"one\", and so is Sessions:Handler: it must name the store that sessions are moved from.")]
    public void Reading_through_to_nowhere_fails_the_start(string old, string message)
    {
        var provider = Build([("Sessions:ReadThrough", old)], "one");
        var error = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IStartupValidator>().Validate());
        Assert.Equal(message, Assert.Single(error.Failures));
    }

    [Fact]
    public void Reading_through_stands_between_two_handlers()
    {
        var provider = Build([("Sessions:ReadThrough", "file")], "one");
        provider.GetRequiredService<IStartupValidator>().Validate();
        Assert.IsAssignableFrom<ReadThroughHandler>(provider.GetRequiredService<ISessionHandler>());
    }

    [Fact]
    public void Two_handlers_of_one_name_are_refused_when_they_are_added()
    {
        var builder = new ServiceCollection().AddRedisSessionsCore().AddHandler<MemorySessionHandler>("one");
        Assert.Throws<ArgumentException>(() => builder.AddHandler<MemorySessionHandler>("one"));
        Assert.Throws<ArgumentException>(() => builder.AddHandler<MemorySessionHandler>(" "));
    }

    private static ServiceProvider Build((string Key, string? Value)[] settings, params string[] handlers) => Build(settings, null, handlers);

    private static ServiceProvider Build((string Key, string? Value)[] settings, Action<RedisSessionsOptions>? configure, params string[] handlers)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))).Build());
        var builder = services.AddRedisSessionsCore(configure);
        foreach (var handler in handlers)
            builder.AddHandler<MemorySessionHandler>(handler);
        return services.BuildServiceProvider(validateScopes: true);
    }
}
