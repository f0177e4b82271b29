using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(RedisServerFixture))]
[assembly: AssemblyFixture(typeof(PostgresServerFixture))]
[assembly: AssemblyFixture(typeof(MariaDbServerFixture))]
[assembly: AssemblyFixture(typeof(Secrets))]
