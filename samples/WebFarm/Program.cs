using WebFarm.Farm;
using WebFarm.Shop;

// One program, two roles: the balancer starts three copies of itself as instances of the shop. In a container an instance runs by itself.
return args switch
{
    ["--role", "instance", var name] => await ShopInstance.RunAsync(name),
    ["--role", "shop", .. var settings] => await ShopServer.RunAsync(settings),
    ["--role", "health", var path] => await ShopServer.CheckAsync(path),
    _ => await Balancer.RunAsync(args),
};
