using RedisSessions.TestServers;

[assembly: AssemblyFixture(typeof(PostgresServerFixture))]
[assembly: AssemblyFixture(typeof(MariaDbServerFixture))]
[assembly: AssemblyFixture(typeof(RedisSessions.TestServers.Secrets))]
