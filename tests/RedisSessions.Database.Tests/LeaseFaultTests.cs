namespace RedisSessions.Database.Tests;

/// <summary>What a lost answer does to a lease: nothing, because the owner is named.</summary>
public sealed class LeaseFaultTests(Engines engines) : IClassFixture<Engines>
{
    private static readonly SessionLease Mine = new("mine0123", TimeSpan.FromMinutes(1));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task When_answers_are_lost_a_lease_is_still_taken_and_renewed_once(string name)
    {
        await using var engine = engines.Create(name);
        await using var lossy = new LossyDataSource(engine.CreateSource());
        var (leases, others) = ((ISessionLeases)engine.Handler(source: lossy), (ISessionLeases)engine.Handler());
        var key = Records.NewKey();
        Assert.False(await leases.RenewAsync(key, Mine, Token));

        lossy.Losses = 1;
        Assert.Null(await leases.TryAcquireAsync(key, Mine, Token));
        Assert.NotNull(await others.TryAcquireAsync(key, Mine with { Owner = "other" }, Token));
        lossy.Losses = 1;
        Assert.True(await leases.RenewAsync(key, Mine, Token));
        Assert.Equal(2, lossy.Lost);
        lossy.Losses = 1;
        Assert.NotNull(await leases.TryAcquireAsync(key, Mine with { Owner = "other" }, Token));
        Assert.True(await others.RenewAsync(key, Mine, Token));
    }
}
