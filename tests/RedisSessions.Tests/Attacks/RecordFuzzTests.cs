using Microsoft.Extensions.Logging.Abstractions;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Attacks;

/// <summary>A hundred thousand records that were good once and then went through an attacker's hands, read and written through the engine.</summary>
[Collection(nameof(MeasuresMemory))]
public sealed class RecordFuzzTests
{
    private const int Runs = 100_000, WarmUp = 10_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_mutated_record_is_a_session_or_a_store_failure_and_nothing_of_it_stays_in_memory(bool isLarge)
    {
        var engine = new Engine();
        var id = await engine.StoredAsync(
            ("account.current_user_id", 42), ("cart.items", new[] { 1, 2, 3 }), ("name", "Zoë"), ("at", engine.Time.GetUtcNow()), ("blob", new byte[40]), ("deep.a.b.c.d", 1.5));
        var flashing = await engine.LoadAsync(id);
        flashing.Flash("message", "saved");
        flashing.IsPersistent = true;
        // At the end, and before it the index.
        if (isLarge)
            flashing["text"] = new string('x', 9_000);
        await flashing.CommitAsync(Token);
        var key = SessionKey.From(id);
        var good = RecordFormat.Write(engine.Store.Peek(key)!);

        Assert.Equal(isLarge, RecordFormat.Read(good).Payload.Span[0] == 0xc9);

        var store = new Mutated(good);
        var manager = new SessionManager(store, Microsoft.Extensions.Options.Options.Create(engine.Options), engine.Time, NullLogger<SessionManager>.Instance);
        var random = new Random(20260102);
        var (refused, opened) = (0, 0);
        long before = 0;
        for (var run = 0; run < Runs; run++)
        {
            if (run == WarmUp)
                before = GC.GetTotalMemory(forceFullCollection: true);
            store.Next(random);
            try
            {
                var session = await manager.LoadAsync(id, cancellationToken: Token);
                // What was accepted can be looked at, changed and stored; or the damage is found by one who touches it.
                _ = session.All();
                _ = session.Literals.Keys;
                _ = (session["name"], session.Has("cart.items.0"), session.IsPersistent, session.IdleTimeout, session.AbsoluteTimeout);
                session["new"] = run;
                await session.CommitAsync(Token);
                opened++;
            }
            catch (SessionStoreException)
            {
                refused++;
            }
            catch (SessionConflictException e) when (e.SessionEnded)
            {
                // A live record that became a closed one by a bit.
                refused++;
            }
        }

        var growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(growth < 4 * 1024 * 1024, $"{Runs - WarmUp} records left {growth} bytes behind");
        Assert.True(refused > Runs / 4 && opened > Runs / 20, $"{refused} refused and {opened} opened: the mutations are too tame or too wild");
    }

    /// <summary>A store of one record, that is another one each time; it reads as handlers do.</summary>
    private sealed class Mutated(byte[] good) : ISessionHandler
    {
        private byte[] _bytes = [];

        public void Next(Random random)
        {
            var bytes = good.ToList();
            for (var times = random.Next(1, 5); times > 0; times--)
            {
                var at = random.Next(Math.Min(bytes.Count, 600));
                switch (random.Next(6))
                {
                    case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                    case 1: bytes[at] = (byte)random.Next(256); break;
                    case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at - 1)); break;
                    case 3: bytes.Insert(at, (byte)random.Next(256)); break;
                    case 4: bytes[at] = new byte[] { 0xdf, 0xdd, 0xdb, 0xc6, 0xc9, 0xc1, 0xff, 0x00 }[random.Next(8)]; break;
                    default: bytes[RecordFormat.HeaderLength + random.Next(bytes.Count > RecordFormat.HeaderLength ? bytes.Count - RecordFormat.HeaderLength : 1) - 1] = (byte)random.Next(256); break;
                }
            }

            _bytes = [.. bytes];
            // Half of them get past the check of the length, to where it becomes interesting.
            if (random.Next(2) == 0 && _bytes.Length > RecordFormat.HeaderLength)
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(32), _bytes.Length - RecordFormat.HeaderLength);
        }

        public ValueTask<SessionRecord?> ReadAsync(SessionKey key, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            try
            {
                return new(RecordFormat.Read(_bytes));
            }
            catch (FormatException e)
            {
                throw new SessionStoreException("mutated", "read", e.Message, e);
            }
        }

        public ValueTask<CommitResult> CommitAsync(
            SessionKey key, SessionVersion expected, SessionRecord record, TimeSpan idleTimeout, CancellationToken cancellationToken)
        {
            RecordFormat.Read(RecordFormat.Write(record));
            return new(CommitResult.Committed.Instance);
        }

        public ValueTask<bool> DeleteAsync(SessionKey key, CancellationToken cancellationToken) => new(false);
    }
}

/// <summary>What these tests measure is the whole process, so nothing else runs beside them.</summary>
[CollectionDefinition(nameof(MeasuresMemory), DisableParallelization = true)]
public sealed class MeasuresMemory;
