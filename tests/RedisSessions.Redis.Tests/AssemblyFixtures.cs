using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(GarnetFixture))]
[assembly: AssemblyFixture(typeof(Secrets))]
