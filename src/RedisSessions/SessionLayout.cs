namespace RedisSessions;

/// <summary>Whose records are in a store: this library's own, or those of a PHP application that shares its sessions. See <c>docs/php.md</c>.</summary>
public enum SessionLayout
{
    /// <summary>The records of this library.</summary>
    Standard = 0,

    /// <summary>PHP's own handlers: files named <c>sess_{id}</c>, Redis keys as phpredis names them. Ids are PHP's; the format is <see cref="PhpSessionFormat.Php"/>.</summary>
    Php = 1,

    /// <summary>UserFrosting: files named by the id, or its table <c>sessions</c>. Ids are PHP's; the format is <see cref="PhpSessionFormat.Php"/>.</summary>
    UserFrosting = 2,

    /// <summary>
    /// Laravel: files named by the id, its table <c>sessions</c>, or its cache in Redis. Ids are Laravel's; the format is <see cref="PhpSessionFormat.PhpSerialize"/>, in Redis
    /// <see cref="PhpSessionFormat.SerializedString"/>.
    /// </summary>
    Laravel = 3,
}
