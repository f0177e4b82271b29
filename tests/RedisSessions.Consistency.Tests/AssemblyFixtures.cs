using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(Secrets))]
