using StockApp;

// The same shop twice: as it was written for the framework's session, and after two lines have changed.
await using var app = args.Contains("--stock") ? Before.Build(args) : After.Build(args);
await app.RunAsync();
