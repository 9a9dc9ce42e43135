using System;
using System.Globalization;
using System.IO;
using System.Text;

/// <summary>Messages of the Debug Adapter Protocol on two streams: headers, of which Content-Length is read, and JSON.</summary>
sealed class Messages
{
    /// <summary>Of one message, bytes; the service sends none that is longer.</summary>
    const int MostBytes = 4 * 1024 * 1024;
    const int MostHeader = 4096;
    readonly Stream input;
    readonly Stream output;
    int sequence;

    public Messages(Stream input, Stream output)
    {
        this.input = input;
        this.output = output;
    }

    /// <summary>Null at the end. <exception cref="Malformed"/></summary>
    public Fields Read()
    {
        var length = -1;
        for (string line; (line = Line()) != "";)
        {
            if (line == null) return null;
            var colon = line.IndexOf(':');
            if (colon < 0 || line.Substring(0, colon).ToLowerInvariant() != "content-length") continue;
            if (!int.TryParse(line.Substring(colon + 1).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out length)) length = -1;
        }
        if (length < 0 || length > MostBytes) throw new Malformed("Content-Length is none");
        var bytes = new byte[length];
        for (var read = 0; read < length;)
        {
            var some = input.Read(bytes, read, length - read);
            if (some <= 0) return null;
            read += some;
        }
        return Fields.Of(Json.Read(Encoding.UTF8.GetString(bytes)));
    }

    /// <summary>Of any thread; waits while nobody reads.</summary>
    public void Send(Fields message)
    {
        lock (output)
        {
            message["seq"] = ++sequence;
            var body = Encoding.UTF8.GetBytes(Json.Write(message));
            var header = Encoding.ASCII.GetBytes("Content-Length: " + body.Length + "\r\n\r\n");
            var whole = new byte[header.Length + body.Length];
            header.CopyTo(whole, 0);
            body.CopyTo(whole, header.Length);
            output.Write(whole, 0, whole.Length);
            output.Flush();
        }
    }

    string Line()
    {
        var line = new StringBuilder();
        for (;;)
        {
            var next = input.ReadByte();
            if (next < 0) return null;
            if (next == '\n') return line.ToString().TrimEnd('\r');
            if (line.Length >= MostHeader) throw new Malformed("a header is too long");
            line.Append((char)next);
        }
    }
}
