namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    [Fact]
    public async Task Cancelled_before_it_is_sent_a_commit_leaves_no_trace()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await handler.CommitAsync(Key, SessionVersion.None, Live(1), LongIdleTimeout, cancelled));
        Assert.Null(await ReadAsync(handler, Key));

        var record = await CreateAsync(handler);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await handler.CommitAsync(Key, new SessionVersion(1), Live(2), LongIdleTimeout, cancelled));
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task Cancelled_before_it_is_sent_a_delete_leaves_the_record()
    {
        var handler = await Fixture.CreateHandlerAsync();
        var record = await CreateAsync(handler);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await handler.DeleteAsync(Key, new CancellationToken(canceled: true)));
        AssertSame(record, await ReadAsync(handler, Key));
    }

    [Fact]
    public async Task A_cancelled_read_says_so_instead_of_answering_that_there_is_nothing()
    {
        var handler = await Fixture.CreateHandlerAsync();
        await CreateAsync(handler);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await handler.ReadAsync(Key, LongIdleTimeout, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_commit_that_reports_cancellation_has_stored_nothing_and_one_that_reports_success_has()
    {
        var handler = await Fixture.CreateHandlerAsync();
        for (var round = 0; round < 40; round++)
        {
            var key = NewKey();
            var record = Live(1, Random(1000 * round));
            using var cancelling = new CancellationTokenSource();
            // Somewhere from before the commit is sent to after it was answered.
            var spin = round * 200;
            var cancel = Task.Run(() =>
            {
                Thread.SpinWait(spin);
                cancelling.Cancel();
            }, CancellationToken);

            CommitResult? result = null;
            try
            {
                result = await handler.CommitAsync(key, SessionVersion.None, record, LongIdleTimeout, cancelling.Token);
            }
            catch (OperationCanceledException)
            {
                // Then nothing was sent.
            }

            await cancel;
            if (result is null)
            {
                Assert.Null(await ReadAsync(handler, key));
            }
            else
            {
                AssertCommitted(result);
                AssertSame(record, await ReadAsync(handler, key));
            }
        }
    }
}
