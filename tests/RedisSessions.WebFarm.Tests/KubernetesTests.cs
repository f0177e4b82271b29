using k8s;
using k8s.Models;

namespace RedisSessions.WebFarm.Tests;

/// <summary>
/// The manifests of <c>docker/k8s</c>, read strictly into the types that the official client makes from Kubernetes' own description: a field, a kind or a value that does not
/// exist is an error. What those types leave out, which fields must be there and what refers to what, is asked for one by one.
/// </summary>
public sealed class KubernetesTests
{
    private static readonly string Folder = Path.Combine(Root(), "docker", "k8s");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.yaml").Select(static path => Path.GetFileName(path))];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_manifest_has_only_what_Kubernetes_knows(string file)
    {
        var objects = Load(file);
        Assert.NotEmpty(objects);
        Assert.All(objects.Cast<IKubernetesObject<V1ObjectMeta>>(), static one =>
        {
            // A DNS label, as the names of services must be.
            Assert.Matches("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", one.Metadata.Name);
            Assert.Equal("redissessions", one.Metadata.Labels["app.kubernetes.io/part-of"]);
        });
    }

    [Theory]
    [InlineData("replicas: 3", "replicass: 3")]
    [InlineData("replicas: 3", "replicas: three")]
    [InlineData("kind: Deployment", "kind: Deploymentt")]
    [InlineData("periodSeconds: 2", "period: 2")]
    [InlineData("readOnlyRootFilesystem: true", "readOnlyRootFileSystem: true")]
    [InlineData("  name: shop", "  name: shop\n  name: shop2")]
    public void What_it_does_not_know_is_an_error(string right, string wrong)
    {
        var text = File.ReadAllText(Path.Combine(Folder, "shop.yaml"));
        Assert.Contains(right, text, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(text.Replace(right, wrong, StringComparison.Ordinal), strict: true));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Pods_are_found_by_what_is_to_find_them(string file)
    {
        var objects = Load(file);
        var pods = Pods(objects);
        Assert.NotEmpty(pods);
        Assert.All(pods, static pod => AssertSelects(pod.Selector.MatchLabels, pod.Template));
        foreach (var service in objects.OfType<V1Service>())
        {
            var pod = pods.Single(pod => pod.Name == service.Metadata.Name);
            AssertSelects(service.Spec.Selector, pod.Template);
            Assert.NotEmpty(service.Spec.Ports);
            Assert.All(service.Spec.Ports, port => Assert.Contains(pod.Template.Spec.Containers.SelectMany(static container => container.Ports), one => one.Name == port.TargetPort.Value));
            Assert.Null(service.Spec.SessionAffinity);
        }

        foreach (var policy in objects.OfType<V1NetworkPolicy>())
            AssertSelects(policy.Spec.PodSelector.MatchLabels, pods.Single(pod => pod.Name == policy.Metadata.Name).Template);
        foreach (var budget in objects.OfType<V1PodDisruptionBudget>())
            AssertSelects(budget.Spec.Selector.MatchLabels, pods.Single(pod => pod.Name == budget.Metadata.Name).Template);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_pod_has_no_rights_that_it_does_not_need(string file)
    {
        var objects = Load(file);
        foreach (var (name, _, template) in Pods(objects))
        {
            var spec = template.Spec;
            Assert.True(spec.SecurityContext.RunAsNonRoot);
            Assert.NotEqual(0, spec.SecurityContext.RunAsUser);
            Assert.Equal("RuntimeDefault", spec.SecurityContext.SeccompProfile.Type);
            Assert.False(spec.AutomountServiceAccountToken);
            Assert.Contains(objects.OfType<V1ServiceAccount>(), account => account.Metadata.Name == spec.ServiceAccountName);
            Assert.Contains(objects.OfType<V1NetworkPolicy>(), policy => policy.Metadata.Name == name);
            Assert.All(spec.Containers, static container =>
            {
                Assert.Matches("^[a-z0-9/.-]+:[a-z0-9.]+$", container.Image);
                Assert.DoesNotContain(":latest", container.Image, StringComparison.Ordinal);
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.Null(container.SecurityContext.Capabilities.Add);
                Assert.True(container.Resources.Limits.ContainsKey("memory"));
                Assert.Contains(container.VolumeMounts, static mount => mount.MountPath == "/tmp");
            });
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Secrets_are_files_and_everything_mounted_is_there(string file)
    {
        var objects = Load(file);
        Assert.Empty(objects.OfType<V1Secret>());
        foreach (var (_, _, template) in Pods(objects))
        {
            var claims = objects.OfType<V1StatefulSet>().SelectMany(static set => set.Spec.VolumeClaimTemplates).Select(static claim => claim.Metadata.Name);
            string[] volumes = [.. template.Spec.Volumes.Select(static volume => volume.Name), .. claims];
            foreach (var container in template.Spec.Containers)
            {
                Assert.Equal(volumes.Order(StringComparer.Ordinal), container.VolumeMounts.Select(static mount => mount.Name).Order(StringComparer.Ordinal));
                Assert.DoesNotContain(container.Env ?? [], static variable => variable.ValueFrom?.SecretKeyRef is not null);
                Assert.DoesNotContain(container.EnvFrom ?? [], static source => source.SecretRef is not null);
                // The file that is named is in the folder that is mounted.
                var named = (container.Env ?? []).Where(static variable => variable.Name.EndsWith("PASSWORD_FILE", StringComparison.Ordinal)).Select(static variable => variable.Value)
                    .Concat(objects.OfType<V1ConfigMap>().SelectMany(static map => map.Data).Where(static pair => pair.Key == "Redis__PasswordFile").Select(static pair => pair.Value));
                var secret = template.Spec.Volumes.Single(static volume => volume.Secret is not null).Name;
                var folder = container.VolumeMounts.Single(mount => mount.Name == secret).MountPath;
                Assert.Equal($"{folder}/redis_password", Assert.Single(named));
            }
        }
    }

    [Fact]
    public void The_shop_leaves_without_a_failed_request_and_its_store_does_not_restart_it()
    {
        var objects = Load("shop.yaml");
        var (deployment, settings) = (objects.OfType<V1Deployment>().Single().Spec, objects.OfType<V1ConfigMap>().Single().Data);
        Assert.True(deployment.Replicas >= 3);
        Assert.Equal("0", deployment.Strategy.RollingUpdate.MaxUnavailable.Value);
        var (pod, container) = (deployment.Template.Spec, deployment.Template.Spec.Containers.Single());
        Assert.Equal(("/health/ready", "/health/live", "/health/live"),
            (container.ReadinessProbe.HttpGet.Path, container.LivenessProbe.HttpGet.Path, container.StartupProbe.HttpGet.Path));
        // The host's patience, 30 s, covers the delay; the pod's must be longer. An instance that fails its probe is noticed within the delay.
        var delay = TimeSpan.Parse(settings["Sessions__ShutdownDelay"], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(delay.TotalSeconds, container.ReadinessProbe.PeriodSeconds!.Value * container.ReadinessProbe.FailureThreshold!.Value + 1, 29);
        Assert.True(pod.TerminationGracePeriodSeconds > 30);
        Assert.Contains(objects.OfType<V1PodDisruptionBudget>(), static budget => budget.Spec.MaxUnavailable.Value == "1");
    }

    [Fact]
    public void Redis_is_started_by_the_script_of_the_farm_with_half_of_its_memory()
    {
        var container = Load("redis.yaml").OfType<V1StatefulSet>().Single().Spec.Template.Spec.Containers.Single();
        Assert.Equal(["sh", "/etc/farm/start.sh", "server"], container.Command);
        Assert.True(File.Exists(Path.Combine(Root(), "docker", "redis", "start.sh")));
        var maximum = container.Env.Single(static variable => variable.Name == "REDIS_MAXMEMORY").Value;
        Assert.True(2 * int.Parse(maximum[..^2], System.Globalization.CultureInfo.InvariantCulture) * 1024L * 1024 <= container.Resources.Limits["memory"].ToInt64(), maximum);
    }

    private static List<object> Load(string file) => KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Folder, file)), strict: true);

    private static List<(string Name, V1LabelSelector Selector, V1PodTemplateSpec Template)> Pods(List<object> objects) =>
    [
        .. objects.OfType<V1Deployment>().Select(static one => (one.Metadata.Name, one.Spec.Selector, one.Spec.Template)),
        .. objects.OfType<V1StatefulSet>().Select(static one => (one.Metadata.Name, one.Spec.Selector, one.Spec.Template)),
    ];

    private static void AssertSelects(IDictionary<string, string> selector, V1PodTemplateSpec template)
    {
        Assert.NotEmpty(selector);
        Assert.All(selector, label => Assert.Equal(label.Value, template.Metadata.Labels[label.Key]));
    }

    private static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "RedisSessions.sln")))
                return folder;
        }

        throw new InvalidOperationException("The repository is not above the tests.");
    }
}
