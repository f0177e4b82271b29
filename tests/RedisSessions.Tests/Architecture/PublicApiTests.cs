using System.Reflection;
using PublicApiGenerator;
using RedisSessions.Tests.Support;

namespace RedisSessions.Tests.Architecture;

/// <summary>What others build on: every public member, as text that was approved, and the rules for all of them.</summary>
public sealed class PublicApiTests
{
    private static readonly Assembly[] Assemblies = [typeof(Session).Assembly, typeof(RedisHandlerOptions).Assembly, typeof(DatabaseHandlerOptions).Assembly, typeof(SessionCookieOptions).Assembly];

    public static TheoryData<string> Names => [.. Assemblies.Select(assembly => assembly.GetName().Name!)];

    [Fact]
    public void Every_library_is_looked_at() =>
        Assert.Equal(Repository.Files("src", "*.csproj").Select(file => Path.GetFileNameWithoutExtension(file.Path)).Order(), Names.Select(row => row.Data).Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void The_public_api_is_what_was_approved(string name)
    {
        var folder = Path.Combine(Repository.Root, "tests", "RedisSessions.Tests", "Architecture");
        var approved = Path.Combine(folder, $"PublicApi.{name}.txt");
        var received = Path.Combine(folder, $"PublicApi.{name}.received.txt");
        var actual = Assemblies.Single(assembly => assembly.GetName().Name == name).GeneratePublicApi(new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
            DenyNamespacePrefixes = [],
        }).ReplaceLineEndings("\n").TrimEnd() + "\n";
        var expected = File.Exists(approved) ? File.ReadAllText(approved) : "";
        if (actual == expected)
        {
            File.Delete(received);
            return;
        }

        File.WriteAllText(received, actual);
        var (before, after) = (expected.Split('\n'), actual.Split('\n'));
        var difference = before.Except(after).Select(line => "- " + line).Concat(after.Except(before).Select(line => "+ " + line));
        Assert.Fail($"The public API of {name} has changed. If that is meant, put {Path.GetFileName(received)} in the place of {Path.GetFileName(approved)}:"
            + Environment.NewLine + string.Join(Environment.NewLine, difference));
    }

    [Fact]
    public void Public_classes_are_sealed_static_or_abstract()
    {
        var open = Public().Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false });
        Assert.Empty(open);
    }

    [Fact]
    public void There_is_one_public_namespace_and_extensions_are_where_the_framework_puts_them()
    {
        foreach (var type in Public())
        {
            if (type.Namespace is "Microsoft.Extensions.DependencyInjection" or "Microsoft.AspNetCore.Builder")
                Assert.True(type.Name.EndsWith("Extensions", StringComparison.Ordinal) && type is { IsAbstract: true, IsSealed: true }, $"{type} is no class of extensions");
            else
                Assert.Equal("RedisSessions", type.Namespace);
        }
    }

    [Fact]
    public void A_cancellation_token_is_the_last_parameter_and_has_one_name()
    {
        var methods = Assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace?.StartsWith("RedisSessions", StringComparison.Ordinal) == true)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.GetBaseDefinition() == method && !method.Name.Contains('<', StringComparison.Ordinal))
            .Where(method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken))).ToList();
        Assert.True(methods.Count > 10, $"only {methods.Count} methods");
        foreach (var method in methods)
        {
            var last = method.GetParameters()[^1];
            Assert.True(last.ParameterType == typeof(CancellationToken), $"{method.DeclaringType}.{method.Name}");
            Assert.True(last.Name == "cancellationToken", $"{method.DeclaringType}.{method.Name}({last.Name})");
        }
    }

    [Fact]
    public void Every_public_method_that_returns_a_task_takes_a_token_and_ends_in_Async()
    {
        foreach (var method in Public().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.ReturnType.Name.StartsWith("Task", StringComparison.Ordinal) || method.ReturnType.Name.StartsWith("ValueTask", StringComparison.Ordinal)))
        {
            Assert.EndsWith("Async", method.Name, StringComparison.Ordinal);
            Assert.Contains(method.GetParameters(), parameter => parameter.ParameterType == typeof(CancellationToken));
        }
    }

    private static IEnumerable<Type> Public() => Assemblies.SelectMany(assembly => assembly.GetExportedTypes());
}
