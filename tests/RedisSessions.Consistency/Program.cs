using RedisSessions.Consistency.Http;
using RedisSessions.Consistency.Http.Known;

switch (args)
{
    case ["http", .. var arguments]:
        return await HttpCommand.RunAsync(arguments, Console.Out, CancellationToken.None);
    case ["hole", var letter, var seed]:
        var hole = HttpHoles.All.First(hole => hole.Letter == letter[0]);
        foreach (var finding in await hole.FindAsync(int.Parse(seed, System.Globalization.CultureInfo.InvariantCulture), CancellationToken.None) ?? [])
            Console.WriteLine(finding);
        return 0;
    default:
        return 2;
}
