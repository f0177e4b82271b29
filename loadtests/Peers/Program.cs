using Peers;

// One peer as a process: --peer framework | framework-async | floor, --redis host:port, --keys FOLDER for the framework's keys.
var builder = MeasuredServer.Create(args);
var peer = builder.Configuration["peer"];
var redis = builder.Configuration["redis"] ?? "localhost:6379";
var payload = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "payload.json"));
switch (peer)
{
    case "framework" or "framework-async":
        FrameworkPeer.AddServices(builder.Services, redis, builder.Configuration["keys"]);
        break;
    case "floor":
        await FloorPeer.AddServicesAsync(builder.Services, redis);
        break;
    default:
        throw new InvalidOperationException($"--peer is \"{peer}\": it must be framework, framework-async or floor.");
}

var app = builder.Build();
app.MapGet("/hello", static () => "hello");
if (peer == "floor")
    FloorPeer.Map(app, payload);
else
    FrameworkPeer.Map(app, payload, load: peer == "framework-async");
await app.RunAsync();
