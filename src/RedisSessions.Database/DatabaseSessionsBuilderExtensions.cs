using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisSessions;
using RedisSessions.Database;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Sessions in SQLite, PostgreSQL, MySQL or MariaDB: the handler "database". How is in <see cref="DatabaseHandlerOptions"/>.</summary>
public static class DatabaseSessionsBuilderExtensions
{
    /// <summary>Adds the handler "database" over a data source that the application has made and will dispose of itself.</summary>
    /// <param name="builder">What <c>AddRedisSessions</c> returned.</param>
    /// <param name="dialect">Which database it is.</param>
    /// <param name="dataSource">Where connections come from: <c>NpgsqlDataSource.Create(…)</c>, or any driver's <c>DbProviderFactory.CreateDataSource(…)</c>.</param>
    public static RedisSessionsBuilder AddDatabase(this RedisSessionsBuilder builder, SqlDialect dialect, DbDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.AddDatabase(dialect, _ => dataSource);
    }

    /// <summary>Adds the handler "database" over a data source that is taken from the application's services when it is first needed.</summary>
    /// <param name="builder">What <c>AddRedisSessions</c> returned.</param>
    /// <param name="dialect">Which database it is.</param>
    /// <param name="dataSource">Called once, for example <c>provider => provider.GetRequiredService&lt;NpgsqlDataSource&gt;()</c>; whoever made the source disposes of it.</param>
    public static RedisSessionsBuilder AddDatabase(this RedisSessionsBuilder builder, SqlDialect dialect, Func<IServiceProvider, DbDataSource> dataSource)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dialect);
        ArgumentNullException.ThrowIfNull(dataSource);
        builder.AddHandler<DatabaseSessionHandler>("database");
        builder.Services.AddOptions<DatabaseHandlerOptions>().BindConfiguration(DatabaseHandlerOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<DatabaseHandlerOptions>, DatabaseHandlerOptionsValidator>();
        builder.Services.AddSingleton(provider => new DatabaseSource(dialect, dataSource(provider)));
        builder.Services.AddSingleton<SessionDatabase>();
        builder.Services.AddSingleton<DatabaseMigrations>();
        // Only when the database is in use: an application may carry several handlers and pick one by configuration.
        builder.Services.AddSingleton<IHostedService>(provider =>
            provider.GetRequiredService<IOptions<RedisSessionsOptions>>().Value is { Handler: "database" } or { ReadThrough: "database" }
                ? provider.GetRequiredService<DatabaseMigrations>()
                : new NothingToMigrate());
        return builder;
    }

    private sealed class NothingToMigrate : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
