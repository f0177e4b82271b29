using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace WebFarm.Farm;

/// <summary>Where the farm is reached: nginx, or this process itself.</summary>
internal sealed class FrontDoor(IServer server, string? nginx)
{
    /// <summary>As this machine reaches it, with the port that the system chose if it was asked to.</summary>
    public string Address => nginx ?? Own;

    /// <summary>This process' own address.</summary>
    public string Own
    {
        get
        {
            var address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
            return address.Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        }
    }
}
