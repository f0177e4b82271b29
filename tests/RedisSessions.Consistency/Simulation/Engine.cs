using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RedisSessions.Consistency.Simulation;

/// <summary>Makes the engine of a process: by its public constructor, or by the registration where two handlers are to be set.</summary>
internal static class Engine
{
    private const string First = "first";
    private const string Second = "second";

    public static SessionManager Create(SimulatedProcess process, World world)
    {
        if (world.Scenario.IsMoved)
            return CreateMoved(process, world);
        var options = new RedisSessionsOptions { Handler = First };
        world.Scenario.Configure(options);
        return new SessionManager(
            new CapableLink(process, world.Stores[0]), Options.Create(options), process.Clock, NullLogger<SessionManager>.Instance,
            world.Scenario.IsProtected ? new SimulatedProtector(process) : null);
    }

    /// <summary>As an application is configured: <c>Sessions:Handler</c> and, once it was exchanged, <c>Sessions:ReadThrough</c>.</summary>
    private static SessionManager CreateMoved(SimulatedProcess process, World world)
    {
        var (handler, old) = world.Moves % 2 == 0 ? (First, Second) : (Second, First);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<TimeProvider>(process.Clock);
        services.AddSingleton(process);
        services.AddSingleton(world);
        services.AddRedisSessionsCore(options =>
        {
            (options.Handler, options.ReadThrough) = (handler, world.Moves == 0 ? null : old);
            world.Scenario.Configure(options);
        }).AddHandler<FirstLink>(First).AddHandler<SecondLink>(Second);
        return services.BuildServiceProvider().GetRequiredService<SessionManager>();
    }

    private sealed class FirstLink(SimulatedProcess process, World world) : CapableLink(process, world.Stores[0]);

    private sealed class SecondLink(SimulatedProcess process, World world) : CapableLink(process, world.Stores[1]);
}
