namespace PhpBridge.Bridge;

/// <summary>The folder of one run, for nobody else to read: configuration, PHP's socket, sessions in files. It goes when the run ends.</summary>
internal sealed class SiteFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("php-bridge-");

    public string Path => _folder.FullName;

    /// <summary>Where php-fpm listens.</summary>
    public string Socket => System.IO.Path.Combine(Path, "php.sock");

    /// <summary>Where PHP's own handler keeps its files.</summary>
    public string Sessions => _folder.CreateSubdirectory("sessions").FullName;

    /// <summary>Writes a file, and gives its path.</summary>
    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
