namespace RedisSessions
{
    /// <summary>Endpoint metadata that says what an endpoint does with the session.</summary>
    public interface ISessionAccessMetadata
    {
        /// <summary>What the endpoint does with the session.</summary>
        SessionAccess Access { get; }
    }

    /// <summary>Says what a controller, an action or an endpoint does with the session.</summary>
    /// <param name="access">The access it needs.</param>
    [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
    public sealed class SessionAccessAttribute(SessionAccess access) : Attribute, ISessionAccessMetadata
    {
        /// <inheritdoc/>
        public SessionAccess Access { get; } = access;
    }
}

namespace Microsoft.AspNetCore.Builder
{
    using RedisSessions;

    /// <summary>Session access of endpoints.</summary>
    public static class SessionEndpointExtensions
    {
        /// <summary>Says what an endpoint, or a group of them, does with the session. Needs routing to run before <c>UseRedisSessions</c>, as it does by default.</summary>
        /// <param name="builder">The endpoint or group.</param>
        /// <param name="access">The access it needs; <see cref="SessionAccess.None"/> costs no I/O at all.</param>
        public static TBuilder WithSessionAccess<TBuilder>(this TBuilder builder, SessionAccess access)
            where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new SessionAccessAttribute(access));
    }
}
