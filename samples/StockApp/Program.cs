using StockApp;

// The same shop twice: as it was written for the framework's session, and after two lines have changed.
const string stock = "--stock";
string[] settings = [.. args.Where(static arg => arg != stock)];
await using var app = args.Contains(stock) ? Before.Build(settings) : After.Build(settings);
await app.RunAsync();
