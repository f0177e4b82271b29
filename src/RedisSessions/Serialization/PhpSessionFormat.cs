namespace RedisSessions;

/// <summary>How PHP encodes a session: what <c>session.serialize_handler</c> is in php.ini, or what a framework does in its place.</summary>
public enum PhpSessionFormat
{
    /// <summary><c>php</c>, PHP's default: each key at the top, <c>|</c>, and its value as <c>serialize</c> writes it. Keys at the top are no integers and hold no <c>|</c>.</summary>
    Php = 0,

    /// <summary><c>php_serialize</c>: one array, as <c>serialize</c> writes it. Laravel's files and database hold the same.</summary>
    PhpSerialize = 1,

    /// <summary>A string that holds what <see cref="PhpSerialize"/> writes, serialized once more: what Laravel keeps in Redis, because its cache serializes too.</summary>
    SerializedString = 2,
}
