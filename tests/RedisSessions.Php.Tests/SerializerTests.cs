using System.Text;
using RedisSessions.TestServers;

namespace RedisSessions.Php.Tests;

/// <summary>What PHP makes, reads here and reads there again.</summary>
public sealed class SerializerTests
{
    // Everything that a session can hold without objects, in random arrays; === knows no NAN, so there is none.
    private const string Random = """
        function any(int $depth): mixed {
            switch (mt_rand(0, $depth > 0 ? 11 : 8)) {
                case 0: return null;
                case 1: return (bool) mt_rand(0, 1);
                case 2: return mt_rand(-100, 100);
                case 3: return [PHP_INT_MAX, PHP_INT_MIN, 0, -1, mt_rand() * mt_rand()][mt_rand(0, 4)];
                case 4: return [0.0, -0.0, INF, -INF, 0.1, 1e17, 1e16, 1e-5, mt_rand() / 7, mt_rand() * 1e12, 1.5e300][mt_rand(0, 10)];
                case 5: return str_repeat('ä€🦆"; }', mt_rand(0, 3));
                case 6: return random_bytes(mt_rand(1, 40));
                case 7: return (string) mt_rand(-5, 5);
                case 8: return '';
                case 9: return array_map(fn() => any($depth - 1), array_fill(0, mt_rand(0, 5), 0));
                default:
                    $map = [];
                    for ($i = mt_rand(0, 6); $i > 0; $i--) $map[[mt_rand(-3, 6), 'k' . mt_rand(0, 9), (string) mt_rand(0, 9), '0' . mt_rand(0, 9), random_bytes(3), ''][mt_rand(0, 5)]] = any($depth - 1);
                    return $map;
            }
        }
        """;

    private static CancellationToken CancellationToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Five_hundred_random_arrays_come_back_identical()
    {
        await using var php = Start();
        await php.RunAsync(Random + "mt_srand(20261128);", CancellationToken);
        for (var i = 0; i < 500; i++)
        {
            var session = await php.RunAsync("$GLOBALS['s'] = ['a' => any(8), 'b' => any(3), 5 => any(2)]; return serialize($GLOBALS['s']);", CancellationToken);
            var written = PhpSessionSerializer.Write(PhpSessionSerializer.Read(session, PhpSessionFormat.PhpSerialize), PhpSessionFormat.PhpSerialize);
            Assert.Equal("identical", await php.TextAsync($"return unserialize({PhpProcess.Quote(written)}) === $GLOBALS['s'] ? 'identical' : 'another';", CancellationToken));
            Assert.Equal(Encoding.Latin1.GetString(session), Encoding.Latin1.GetString(written));
        }
    }

    [Fact]
    public async Task Every_kind_comes_back_from_every_depth()
    {
        await using var php = Start();
        var session = await php.RunAsync(
            """
            $kinds = [null, true, false, 0, -1, PHP_INT_MAX, 0.5, -0.0, INF, '', 'text', "\xff", [], [1], [1 => 1], ['k' => 'v']];
            $s = [];
            for ($depth = 0; $depth <= 61; $depth++) foreach ($kinds as $n => $kind) {
                for ($value = $kind, $i = 0; $i < $depth; $i++) $value = $i % 2 ? [$value] : ['k' => $value];
                $s["$depth-$n"] = $value;
            }
            $GLOBALS['s'] = $s;
            return serialize($s);
            """, CancellationToken);
        var payload = PhpSessionSerializer.Read(session, PhpSessionFormat.PhpSerialize);
        var written = PhpSessionSerializer.Write(payload, PhpSessionFormat.Php);
        // Through PHP's own decoder of the other format, too.
        Assert.Equal("identical", await php.TextAsync(
            $"session_id('{Shared.NewId().Value}'); session_start(); $_SESSION = []; session_decode({PhpProcess.Quote(written)}); $same = $_SESSION === $GLOBALS['s']; session_abort(); return $same ? 'identical' : 'another';", CancellationToken));
    }

    [Fact]
    public async Task Doubles_are_written_as_PHP_writes_them()
    {
        await using var php = Start();
        var random = new System.Random(17);
        var doubles = Enumerable.Range(0, 5000).Select(i => i % 2 == 0 ? BitConverter.Int64BitsToDouble(random.NextInt64()) : (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-8, 22))).Where(double.IsFinite).ToArray();
        var bytes = doubles.SelectMany(BitConverter.GetBytes).ToArray();
        var session = await php.RunAsync($"return serialize(['d' => array_values(unpack('e*', {PhpProcess.Quote(bytes)}))]);", CancellationToken);
        var payload = PhpSessionSerializer.Read(session, PhpSessionFormat.PhpSerialize);
        Assert.Equal(Encoding.ASCII.GetString(session), Encoding.ASCII.GetString(PhpSessionSerializer.Write(payload, PhpSessionFormat.PhpSerialize)));
    }

    [Theory]
    [InlineData("php")]
    [InlineData("php_serialize")]
    public async Task Objects_survive_a_hundred_writes_to_other_keys_byte_for_byte_and_stay_whole_when_others_grow(string format)
    {
        var folder = Directory.CreateTempSubdirectory("php-objects-").FullName;
        try
        {
            await using var php = Start($"session.save_path={folder}", $"session.serialize_handler={format}");
            await using var instance = Instance.Create(_ => { }, file: options => (options.Path, options.Layout, options.FlushToDisk, options.PhpFormat) =
                (folder, SessionLayout.Php, false, format == "php" ? PhpSessionFormat.Php : PhpSessionFormat.PhpSerialize));
            var (id, manager) = (Shared.NewId(), instance.Manager());
            await php.RunAsync(
                $$"""
                class Cart { public array $items = [1, 2]; public ?Cart $self; private $secret = "\0\xff"; }
                enum Size: string { case Large = 'l'; }
                session_id('{{id.Value}}'); session_start();
                $cart = new Cart; $cart->self = $cart; $shared = [1];
                $_SESSION = ['count' => 0, 'list' => [0], 'cart' => $cart, 'same' => $cart, 'size' => [Size::Large], 'when' => new DateTime('2020-01-01'), 'last' => 'text'];
                $_SESSION['one'] = &$shared; $_SESSION['other'] = &$shared;
                session_write_close();
                """, CancellationToken);
            var file = Path.Combine(folder, "sess_" + id.Value);
            var objects = Objects(await File.ReadAllBytesAsync(file, CancellationToken));
            for (var i = 0; i < 100; i++)
            {
                var session = await manager.LoadAsync(id, cancellationToken: CancellationToken);
                session.Increment("count");
                session["last"] = $"write {i}";
                session[$"new{i % 7}"] = new[] { i, i };
                await session.CommitAsync(CancellationToken);
                Assert.Equal(objects, Objects(await File.ReadAllBytesAsync(file, CancellationToken)));
            }

            // What stands before them grows, and the numbers that references go by with it.
            var growing = await manager.LoadAsync(id, cancellationToken: CancellationToken);
            for (var i = 0; i < 5; i++)
                growing.Push("list", i);
            await growing.CommitAsync(CancellationToken);
            Assert.Equal("100 6 whole", await php.TextAsync(
                $$"""
                session_id('{{id.Value}}'); session_start();
                $s = $_SESSION; $c = $s['cart']; $_SESSION['one'][] = 2;
                $whole = $c instanceof Cart && $c->self === $c && $s['same'] === $c && $c->items === [1, 2] && $s['size'] === [Size::Large] && $s['when']->format('Y') === '2020' && $_SESSION['other'] === [1, 2];
                session_abort();
                return $s['count'] . ' ' . count($s['list']) . ' ' . ($whole ? 'whole' : 'broken');
                """, CancellationToken));

            // None of it is anything here, and none of it is lost by accident.
            var reading = await manager.LoadAsync(id, cancellationToken: CancellationToken);
            foreach (var key in new[] { "cart", "cart.items", "size", "same", "one", "other" })
            {
                var top = key.Split('.')[0];
                Assert.Contains($"'{top}'", Assert.Throws<InvalidCastException>(() => reading[key]).Message, StringComparison.Ordinal);
                Assert.Contains($"'{top}'", Assert.Throws<InvalidCastException>(() => reading.Get<string>(key)).Message, StringComparison.Ordinal);
            }

            Assert.True(reading.Has("cart"));
            Assert.Throws<InvalidCastException>(() => reading.Has("cart.items"));
            Assert.False(reading.TryGet<string>("cart", out _));
            Assert.DoesNotContain("cart", reading.All().Keys);
            Assert.Equal(100, reading.All()["count"] as long?);
            Assert.Throws<InvalidOperationException>(() => reading["cart.items"] = 1);
            Assert.Throws<InvalidOperationException>(() => reading.Push("cart.items", 1));
            reading.Remove("cart");
            var refused = await Assert.ThrowsAsync<SessionStoreException>(async () => await reading.CommitAsync(CancellationToken));
            Assert.Contains("'same'", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>From the first object to what stands behind the last: one piece, because nothing else is among them.</summary>
    private static string Objects(byte[] session)
    {
        var text = Encoding.Latin1.GetString(session);
        var (from, to) = (text.IndexOf("O:4:\"Cart\"", StringComparison.Ordinal), text.IndexOf("last", StringComparison.Ordinal));
        Assert.InRange(from, 1, to);
        return text[from..to];
    }

    private static PhpProcess Start(params string[] settings)
    {
        Assert.SkipWhen(PhpProcess.Program is null, PhpProcess.None);
        return PhpProcess.Start(settings.Length > 0 ? settings : [$"session.save_path={Path.GetTempPath()}"]);
    }
}
