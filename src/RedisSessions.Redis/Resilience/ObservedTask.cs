namespace RedisSessions.Redis;

/// <summary>For a task that everybody may stop waiting for.</summary>
internal static class ObservedTask
{
    /// <summary>The same task; what becomes of it is nobody's unobserved exception.</summary>
    public static T Observed<T>(this T task)
        where T : Task
    {
        _ = task.ContinueWith(
            static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }
}
