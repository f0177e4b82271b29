using System.Reflection;
using System.Text;
using RedisSessions.Tests.Serialization;

namespace RedisSessions.Tests.Attacks;

/// <summary>Sessions that no PHP has written: from a store that somebody has been at.</summary>
public sealed class PhpFuzzTests
{
    private const int Mutants = 100_000;

    // What an attacker would want to be loaded, and numbers that lie.
    private static readonly string[] Splices =
    [
        "O:26:\"System.Diagnostics.Process\":0:{}", "O:8:\"stdClass\":1:{s:1:\"a\";R:1;}", "C:11:\"ArrayObject\":3:{x;}", "E:8:\"App\\Foo:A\";", "R:1;", "r:2147483647;", "a:2147483647:{",
        "s:2147483647:\"", "S:1:\"\\00\";", "i:9223372036854775808;", "d:1e999;", "a:1:{i:0;", "}", "|", "N;", "O:2147483647:\"", "a:0:{}",
    ];

    [Fact]
    public void A_hundred_thousand_mutants_are_read_or_refused_in_bounded_memory_and_load_no_type()
    {
        var vectors = PhpSessionSerializerTests.Files().Select(path => (Format: PhpSessionSerializerTests.FormatOf(path), Bytes: File.ReadAllBytes(path))).ToArray();
        List<string> loaded = [];
        void Loads(object? sender, AssemblyLoadEventArgs e) => loaded.Add(e.LoadedAssembly.FullName!);
        Assembly? Resolves(object? sender, ResolveEventArgs e)
        {
            loaded.Add(e.Name);
            return null;
        }

        // Everything that reading needs is loaded by then.
        foreach (var (format, bytes) in vectors)
            PhpSessionSerializer.Write(PhpSessionSerializer.Read(bytes, format), format);
        Assert.Throws<FormatException>(() => PhpSessionSerializer.Read(new byte[1], PhpSessionFormat.Php));
        var (random, read, most) = (new Random(2026), 0, 0.0);
        AppDomain.CurrentDomain.TypeResolve += Resolves;
        AppDomain.CurrentDomain.AssemblyLoad += Loads;
        try
        {
            for (var i = 0; i < Mutants; i++)
            {
                var (format, bytes) = vectors[i % vectors.Length];
                var mutant = Mutate(bytes, random);
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    var payload = PhpSessionSerializer.Read(mutant, format);
                    most = Math.Max(most, (GC.GetAllocatedBytesForCurrentThread() - before) / (mutant.Length + 1000.0));
                    read++;
                    var written = PhpSessionSerializer.Write(payload, format);
                    Assert.Equal(PhpSessionSerializerTests.Describe(payload), PhpSessionSerializerTests.Describe(PhpSessionSerializer.Read(written, format)));
                }
                catch (FormatException)
                {
                    // The one exception there is.
                    most = Math.Max(most, (GC.GetAllocatedBytesForCurrentThread() - before) / (mutant.Length + 1000.0));
                }
            }
        }
        finally
        {
            AppDomain.CurrentDomain.TypeResolve -= Resolves;
            AppDomain.CurrentDomain.AssemblyLoad -= Loads;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{read} of {Mutants} mutants were read; reading or refusing one took at most {most:F1} bytes for each of its own and a thousand");
        Assert.InRange(read, Mutants / 100, Mutants * 9 / 10);
        Assert.InRange(most, 0, 64);
        Assert.DoesNotContain(loaded, name => name.Contains("System.Diagnostics.Process", StringComparison.Ordinal) || name.Contains("stdClass", StringComparison.Ordinal) || name.Contains("Foo", StringComparison.Ordinal));
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        List<byte> mutant = [.. bytes];
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(mutant.Count + 1);
            switch (random.Next(6))
            {
                case 0 when at < mutant.Count:
                    mutant[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < mutant.Count:
                    mutant[at] = (byte)"0123456789:;{}|\"iasdbNOCERr"[random.Next(27)];
                    break;
                case 2 when at < mutant.Count:
                    mutant.RemoveRange(at, Math.Min(random.Next(1, 8), mutant.Count - at));
                    break;
                case 3 when mutant.Count > 0:
                    var from = random.Next(mutant.Count);
                    mutant.InsertRange(at, mutant.GetRange(from, Math.Min(random.Next(1, 20), mutant.Count - from)));
                    break;
                case 4:
                    mutant.RemoveRange(at, mutant.Count - at);
                    break;
                default:
                    mutant.InsertRange(at, Encoding.ASCII.GetBytes(Splices[random.Next(Splices.Length)]));
                    break;
            }
        }

        return [.. mutant];
    }
}
