using System.Text.Json.Serialization;

namespace RedisSessions.Consistency.Scripts;

/// <summary>
/// What one step of a request does. Every member of <c>Session</c> and <c>ISession</c> that can matter to a history has one.
/// </summary>
[JsonConverter(typeof(JsonStringEnumConverter<Op>))]
internal enum Op
{
    /// <summary>Answers the value at <see cref="Step.Path"/>.</summary>
    Get,

    /// <summary>Answers whether <see cref="Step.Path"/> is present.</summary>
    Has,

    /// <summary>Answers every value of the session.</summary>
    All,

    /// <summary>Sets <see cref="Step.Path"/> to <see cref="Step.Value"/>.</summary>
    Set,

    /// <summary>Answers whether something was removed.</summary>
    Remove,

    /// <summary>Answers the value and removes it.</summary>
    Pull,

    /// <summary>Adds <see cref="Step.Number"/> and answers the sum.</summary>
    Increment,

    /// <summary>Appends <see cref="Step.Value"/> to a list.</summary>
    Push,

    /// <summary>Inserts <see cref="Step.Value"/> at the beginning of a list.</summary>
    Prepend,

    /// <summary>Removes all keys.</summary>
    Clear,

    /// <summary>Flashes <see cref="Step.Value"/> at <see cref="Step.Path"/>.</summary>
    Flash,

    /// <summary>Keeps the flashed <see cref="Step.Path"/> for one more request.</summary>
    Keep,

    /// <summary>Keeps every flashed value for one more request.</summary>
    Reflash,

    /// <summary>Answers the bytes of a literal key (<c>ISession</c>), read as text.</summary>
    LiteralGet,

    /// <summary>Sets a literal key to the text of <see cref="Step.Value"/>.</summary>
    LiteralSet,

    /// <summary>Removes a literal key.</summary>
    LiteralRemove,

    /// <summary>Answers the literal keys, sorted.</summary>
    LiteralKeys,

    /// <summary>Answers the idle and the absolute timeout, in seconds.</summary>
    GetLifetimes,

    /// <summary>Sets the idle timeout to <see cref="Step.Number"/> seconds.</summary>
    SetIdleTimeout,

    /// <summary>Sets the absolute timeout to <see cref="Step.Number"/> seconds.</summary>
    SetAbsoluteTimeout,

    /// <summary>Makes the cookie outlive the browser, or not (<see cref="Step.Number"/> 1 or 0).</summary>
    SetPersistent,

    /// <summary>Gives the session a new id; the old id forwards for the grace time.</summary>
    Rotate,

    /// <summary>Gives the session a new id; the old id is dead.</summary>
    Login,

    /// <summary>Ends the session.</summary>
    Destroy,

    /// <summary>Gives up what was changed since the last commit, if the API has it.</summary>
    Discard,

    /// <summary>Runs <see cref="Step.Then"/> if <see cref="Step.Path"/> is present, else <see cref="Step.Else"/>.</summary>
    IfHas,

    /// <summary>
    /// Runs <see cref="Step.Then"/> if the value at <see cref="Step.Path"/> equals <see cref="Step.Value"/>, else <see cref="Step.Else"/>.
    /// </summary>
    IfEquals,

    /// <summary>
    /// Runs <see cref="Step.Then"/> and catches the exception of a step that the session refuses; answers the exception's type.
    /// </summary>
    Try,

    /// <summary>Commits now.</summary>
    Commit,

    /// <summary>Runs <see cref="Step.Then"/> as the delegate of <c>UpdateAsync</c>; answers how often it ran.</summary>
    Update,

    /// <summary>The delegate throws; caught around <see cref="Update"/>, the request goes on.</summary>
    Throw,

    /// <summary>Does something that takes <see cref="Step.Number"/> milliseconds.</summary>
    Wait,

    /// <summary>Commits with a token that is cancelled already, and goes on.</summary>
    CancelledCommit,

    /// <summary>Runs <see cref="Step.Then"/> as an <c>UpdateAsync</c> with a token that is cancelled already, and goes on.</summary>
    CancelledUpdate,
}

/// <summary>One step of a request, as data: it is generated, sent, executed, replayed on a model, shrunk and printed.</summary>
internal sealed record Step(Op Op)
{
    /// <summary>Dot notation; a literal key for the literal steps.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Path { get; init; }

    /// <summary>A value as JSON: null, true, an integer, a string, a list or a map.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Value { get; init; }

    /// <summary>An amount, seconds or milliseconds, as the operation says.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Number { get; init; }

    /// <summary>Steps inside this one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Step>? Then { get; init; }

    /// <summary>Steps of the other branch.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Step>? Else { get; init; }
}
