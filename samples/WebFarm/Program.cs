using WebFarm.Farm;
using WebFarm.Shop;

// One program, two roles: the balancer starts three copies of itself as instances of the shop.
return args is ["--role", "instance", var name]
    ? await ShopInstance.RunAsync(name)
    : await Balancer.RunAsync(args);
