using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using RedisSessions.AspNetCore.Tests;
using RedisSessions.TestServers;

namespace RedisSessions.Database.Tests;

/// <summary>The disk under SQLite cannot be written: nobody is logged out, and the log says what to do.</summary>
public sealed class SqliteOutageTests
{
    [Fact]
    public async Task A_full_disk_refuses_writes_and_goes_on_when_there_is_room()
    {
        using var disk = SmallDisk.Mount(kilobytes: 4096);
        await using var app = await StartAsync(disk, pooling: true);
        await app.SeedAsync();
        disk.Fill();
        await app.RefusesAsync("Is its disk full or read-only", "/fill?size=900000");
        await app.ReadsAsync();
        disk.MakeRoom();
        await app.IsAsBeforeAsync();
    }

    [Fact]
    public async Task A_read_only_directory_refuses_writes_and_goes_on_when_it_is_writable()
    {
        using var disk = SmallDisk.Mount(kilobytes: 4096);
        // What is open for writing keeps a file system from becoming read-only.
        await using var app = await StartAsync(disk, pooling: false);
        await app.SeedAsync();
        disk.MakeReadOnly();
        await app.RefusesAsync("Is its disk full or read-only", "/set?val=lost");
        disk.MakeWritable();
        await app.IsAsBeforeAsync();
    }

    private static Task<OutageApp> StartAsync(SmallDisk disk, bool pooling)
    {
        var source = SqliteFactory.Instance.CreateDataSource($"Data Source={Path.Combine(disk.Folder, "sessions.db")};Pooling={pooling}");
        return OutageApp.StartAsync(sessions => sessions.AddDatabase(SqlDialect.Sqlite, source));
    }
}
