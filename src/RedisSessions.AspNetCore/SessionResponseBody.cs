using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace RedisSessions;

/// <summary>
/// Stands between the endpoint and the server so that a failed commit can replace the response: the first byte asks the server to start
/// the response, which commits the session; if that fails, the endpoint's bytes are not sent, the problem is, and the endpoint gets the exception.
/// </summary>
/// <remarks>Once started, the server's own writer is handed out: no copy and no wrapper is left on the way.</remarks>
internal sealed class SessionResponseBody(IHttpResponseBodyFeature inner, SessionExchange exchange)
    : Stream, IHttpResponseBodyFeature
{
    private PipeWriter? _writer;
    private ArrayBufferWriter<byte>? _early;
    private bool _started;

    public Stream Stream => this;

    // Before the start, bytes must wait outside the server: what the server holds already would be sent along with a problem.
    public PipeWriter Writer => _started && _writer is null
        ? inner.Writer
        : _writer ??= PipeWriter.Create(this, new StreamPipeWriterOptions(leaveOpen: true));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void DisableBuffering() => inner.DisableBuffering();

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (!_started)
        {
            await inner.StartAsync(cancellationToken);
            _started = true;
        }

        if (exchange.Failure is not { } failure)
            return;
        if (exchange.TakeProblem() is { } problem)
            await inner.Stream.WriteAsync(problem, CancellationToken.None);
        throw failure;
    }

    public async Task CompleteAsync()
    {
        await FinishAsync();
        await StartAsync();
        await inner.CompleteAsync();
    }

    /// <summary>Sends what was written and not flushed. After a failure that is nothing.</summary>
    public async ValueTask FinishAsync()
    {
        if (exchange.Failure is not null)
            return;
        if (_early is not null)
            await FlushAsync();
        if (_writer is { UnflushedBytes: > 0 })
            await _writer.FlushAsync();
    }

    public async Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        await FlushAsync(cancellationToken);
        await inner.SendFileAsync(path, offset, count, cancellationToken);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        await SendEarlyAsync(cancellationToken);
        await inner.Stream.WriteAsync(buffer, cancellationToken);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await StartAsync(cancellationToken);
        await SendEarlyAsync(cancellationToken);
        await inner.Stream.FlushAsync(cancellationToken);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (!exchange.AllowsSynchronousIO)
            throw new InvalidOperationException("Synchronous operations are disallowed. Call WriteAsync or set AllowSynchronousIO to true instead.");
        if (_started && _early is null && exchange.Failure is null)
            inner.Stream.Write(buffer);
        else
            // Starting the response commits the session, which no thread is to wait for: these bytes go out with the next asynchronous step.
            (_early ??= new ArrayBufferWriter<byte>()).Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        if (_started && _early is null)
            inner.Stream.Flush();
    }

    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private async ValueTask SendEarlyAsync(CancellationToken cancellationToken)
    {
        if (_early is not { } early)
            return;
        _early = null;
        await inner.Stream.WriteAsync(early.WrittenMemory, cancellationToken);
    }
}
