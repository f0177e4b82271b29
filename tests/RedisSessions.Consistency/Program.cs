using RedisSessions.Consistency.Http;
using RedisSessions.Consistency.Http.Known;

switch (args)
{
    case ["http", .. var arguments]:
        return await HttpCommand.RunAsync(arguments, Console.Out, CancellationToken.None);
    case ["hole", var letter, var seed]:
        var hole = HttpHoles.All.First(hole => hole.Letter == letter);
        var found = (await hole.FindAsync(int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture), CancellationToken.None))!;
        File.WriteAllBytes($"/tmp/httpout/hole-{letter}.json", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(found.History, RedisSessions.Consistency.Scripts.Json.Options));
        foreach (var finding in found.Findings)
            Console.WriteLine(finding);
        return 0;
    default:
        return 2;
}
