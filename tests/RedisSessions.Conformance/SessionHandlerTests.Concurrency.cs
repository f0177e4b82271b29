using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace RedisSessions.Conformance;

public abstract partial class SessionHandlerTests
{
    [Fact]
    public async Task Of_many_racing_creations_exactly_one_wins_and_the_others_learn_of_it()
    {
        var handlers = await HandlersAsync(4);
        var records = Enumerable.Range(0, 64).Select(i => Live(1, (byte)i)).ToArray();

        var results = await Task.WhenAll(records.Select((record, i) => Task.Run(() => CommitAsync(handlers[i % 4], Key, 0, record))));

        AssertOneWinner(records, results);
        AssertSame(records[Array.FindIndex(results, result => result is CommitResult.Committed)], await ReadAsync(handlers[0], Key));
    }

    [Fact]
    public async Task Of_a_thousand_parallel_commits_on_one_version_exactly_one_wins_and_the_others_learn_of_it()
    {
        var handlers = await HandlersAsync(4);
        await CreateAsync(handlers[0]);
        var records = Enumerable.Range(0, 1000).Select(i => Live(2, (byte)i, (byte)(i >> 8))).ToArray();

        var results = await Task.WhenAll(records.Select((record, i) => Task.Run(() => CommitAsync(handlers[i % 4], Key, 1, record))));

        AssertOneWinner(records, results);
        AssertSame(records[Array.FindIndex(results, result => result is CommitResult.Committed)], await ReadAsync(handlers[0], Key));
    }

    [Fact]
    public async Task Counting_by_compare_and_swap_over_several_handlers_loses_nothing_and_repeats_nothing()
    {
        const int Workers = 8, Each = 25;
        var handlers = await HandlersAsync(4);
        await CreateAsync(handlers[0], Live(1, Count(0)));
        ConcurrentBag<ulong> versions = [], counts = [];

        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var handler = handlers[worker % handlers.Length];
            var current = (await ReadAsync(handler, Key))!;
            for (var done = 0; done < Each;)
            {
                var count = BinaryPrimitives.ReadUInt64BigEndian(current.Payload.Span) + 1;
                var mine = Live(current.Version.Count + 1, Count(count));
                switch (await CommitAsync(handler, Key, current.Version.Count, mine))
                {
                    case CommitResult.Committed:
                        versions.Add(mine.Version.Count);
                        counts.Add(count);
                        current = mine;
                        done++;
                        break;
                    case CommitResult.Conflict { Current: var newer }:
                        Assert.True(newer.Version.Count > current.Version.Count, "A conflict must bring a newer record.");
                        current = newer;
                        break;
                    default:
                        Assert.Fail("The record is gone.");
                        break;
                }
            }
        })));

        // Each version was won once, and nobody built on a count that was not the last one.
        Assert.Equal(Enumerable.Range(2, Workers * Each).Select(version => (ulong)version), versions.Order());
        Assert.Equal(Enumerable.Range(1, Workers * Each).Select(count => (ulong)count), counts.Order());

        static byte[] Count(ulong count)
        {
            var bytes = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(bytes, count);
            return bytes;
        }
    }

    [Fact]
    public async Task A_reader_sees_one_record_or_the_next_and_never_a_mixture()
    {
        const int Least = 60;
        var (writer, reader) = (await Fixture.CreateHandlerAsync(), await Fixture.CreateHandlerAsync());
        await CreateAsync(writer, Uniform(1));
        var reads = 0;
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken);

        // Goes on until there were enough reads in between, however the machine schedules the two.
        var writing = Task.Run(async () =>
        {
            ulong version = 1;
            for (; (version <= Least || Volatile.Read(ref reads) < Least) && !failed.IsCancellationRequested; version++)
                AssertCommitted(await CommitAsync(writer, Key, version, Uniform(version + 1)));
            return version;
        }, CancellationToken);

        try
        {
            for (ulong seen = 0; !writing.IsCompleted; Interlocked.Increment(ref reads))
            {
                var record = await ReadAsync(reader, Key);
                Assert.NotNull(record);
                Assert.True(record.Version.Count >= seen, "A reader went back in time.");
                seen = record.Version.Count;
                AssertSame(Uniform(seen, record), record);
            }
        }
        catch
        {
            await failed.CancelAsync();
            throw;
        }

        Assert.Equal(await writing, (await ReadAsync(reader, Key))!.Version.Count);

        // Each version has a payload of its own length and of one byte value.
        SessionRecord Uniform(ulong version, SessionRecord? header = null)
        {
            var payload = new byte[10_000 + 997 * (int)(version % 13)];
            Array.Fill(payload, (byte)version);
            var record = Live(version, payload);
            return header is null ? record : new SessionRecord
            {
                Version = record.Version,
                CreatedAt = header.CreatedAt,
                AbsoluteDeadline = header.AbsoluteDeadline,
                CommitIds = header.CommitIds,
                PayloadFormat = record.PayloadFormat,
                Payload = record.Payload,
            };
        }
    }

    [Fact]
    public async Task A_commit_that_races_with_a_delete_never_leaves_a_record_behind_it()
    {
        var handlers = await HandlersAsync(2);
        for (var round = 0; round < 25; round++)
        {
            var key = NewKey();
            AssertCommitted(await CommitAsync(handlers[0], key, 0, Live(1)));
            var commit = Task.Run(() => CommitAsync(handlers[0], key, 1, Live(2)), CancellationToken);
            var delete = Task.Run(async () => await handlers[1].DeleteAsync(key, CancellationToken), CancellationToken);

            // Committed before the delete, or gone after it; in both orders nothing is left.
            Assert.IsNotType<CommitResult.Conflict>(await commit);
            Assert.True(await delete);
            Assert.Null(await ReadAsync(handlers[0], key));
        }
    }

    private async Task<ISessionHandler[]> HandlersAsync(int count)
    {
        var handlers = new ISessionHandler[count];
        for (var i = 0; i < count; i++)
            handlers[i] = await Fixture.CreateHandlerAsync();
        return handlers;
    }

    private static void AssertOneWinner(SessionRecord[] records, CommitResult[] results)
    {
        var winner = records[Array.FindIndex(results, result => result is CommitResult.Committed)];
        Assert.Single(results, result => result is CommitResult.Committed);
        Assert.All(results.OfType<CommitResult.Conflict>(), conflict => AssertSame(winner, conflict.Current));
        Assert.DoesNotContain(results, result => result is CommitResult.Gone);
    }
}
