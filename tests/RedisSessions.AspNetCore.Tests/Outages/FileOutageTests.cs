using RedisSessions.TestServers;

namespace RedisSessions.AspNetCore.Tests;

/// <summary>The directory cannot be used: nobody is logged out, nothing is half written, and the log says what to do.</summary>
public sealed class FileOutageTests
{
    [Fact]
    public async Task A_full_disk_refuses_writes_and_goes_on_when_there_is_room()
    {
        using var disk = SmallDisk.Mount(kilobytes: 512);
        await using var app = await StartAsync(disk);
        await app.SeedAsync();
        disk.Fill();
        await app.RefusesAsync("disk full: make room on the disk of the directory", "/set?val=lost", "/fill?size=20000");
        await app.ReadsAsync();
        disk.MakeRoom();
        await app.IsAsBeforeAsync();
        Assert.Empty(Directory.EnumerateFiles(disk.Folder, "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_read_only_directory_refuses_writes_and_goes_on_when_it_is_writable()
    {
        using var disk = SmallDisk.Mount(kilobytes: 512);
        await using var app = await StartAsync(disk);
        await app.SeedAsync();
        disk.MakeReadOnly();
        await app.RefusesAsync("is read-only: mount it writable", "/set?val=lost");
        await app.ReadsAsync();
        disk.MakeWritable();
        await app.IsAsBeforeAsync();
    }

    [Fact]
    public async Task A_directory_that_was_moved_away_refuses_everything_and_goes_on_when_it_is_back()
    {
        using var disk = SmallDisk.Mount(kilobytes: 512);
        await using var app = await StartAsync(disk);
        await app.SeedAsync();
        var (here, away) = (Path.Combine(disk.Folder, "sessions"), Path.Combine(disk.Folder, "away"));
        Directory.Move(here, away);
        await app.RefusesAsync("is not there any more", "/get", "/set?val=lost");
        Directory.Move(away, here);
        await app.IsAsBeforeAsync();
    }

    private static Task<OutageApp> StartAsync(SmallDisk disk) =>
        OutageApp.StartAsync(_ => { }, $"Sessions:File:Path={Path.Combine(disk.Folder, "sessions")}");
}
