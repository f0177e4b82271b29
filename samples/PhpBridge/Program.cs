using PhpBridge.Bridge;

return await BridgeHost.RunAsync(args);
