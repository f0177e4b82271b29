using WebFarm.Farm;

namespace WebFarm.Shop;

/// <summary>The instances, and the buttons that kill and start them.</summary>
internal static class FarmPanel
{
    public static Html Render(PageModel page) => Html.Of($"""
        <section class="panel" id="farm" aria-labelledby="farm-title">
          <h2 id="farm-title">Instances</h2>
          <ul class="instances">{Html.Each(page.Farm?.Instances ?? [], instance => Item(page, instance))}</ul>
          <p class="muted small">Killing ends the process for real. Requests go on with the others.</p>
        </section>
        """);

    private static Html Item(PageModel page, InstanceView instance) => Html.Of($"""
        <li data-instance="{instance.Name}" data-up="{(instance.Up ? "yes" : "no")}">
          <strong class="badge">{instance.Name}</strong>
          <span><span class="state {State(instance)}">{State(instance)}</span> <span class="muted">pid {instance.Pid}</span></span>
          {Button(page, instance)}
        </li>
        """);

    private static string State(InstanceView instance) => instance.Up ? "up" : "down";

    private static Html Button(PageModel page, InstanceView instance)
    {
        if (!instance.Up)
            return Order("/instances/start", "quiet", "Start", $"Start instance {instance.Name} again");
        // The balancer would refuse to kill the last one.
        return page.Farm!.Instances.Count(static other => other.Up) > 1
            ? Order("/instances/kill", "danger", "Kill", $"Kill instance {instance.Name}")
            : Html.Of($"""<span class="muted small">the last one</span>""");

        Html Order(string action, string style, string text, string label) =>
            Page.Form(page, action, Html.Of($"""<button class="{style}" name="instance" value="{instance.Name}" aria-label="{label}">{text}</button>"""));
    }
}
