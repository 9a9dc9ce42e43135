using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading;

/// <summary>The program can't be asked that, or no longer; the message says why.</summary>
class Refused : Exception
{
    public Refused(string message) : base(message) { }
}

/// <summary>The runtime answered with an error; its code is one of Mono's.</summary>
sealed class RuntimeError : Refused
{
    public const int NotImplemented = 100, NotSuspended = 101, Absent = 105, Aborted = 107;
    public readonly int Code;

    public RuntimeError(int code) : base(InWords(code)) { Code = code; }

    static string InWords(int code)
    {
        switch (code)
        {
            case 20: return "The object is gone";
            case 25: return "There is no such field";
            case 30: return "The program has gone on since";
            case NotImplemented: return "Mono's debugger can't do that";
            case NotSuspended: return "The program runs";
            case 102: return "Mono's debugger does not take that value there";
            case Absent: return "Nothing is known of it here";
            case 106: return "There is no code here";
            case Aborted: return "It took too long and was ended";
            default: return "Mono's debugger refused it (" + code + ")";
        }
    }
}

/// <summary>An event that the runtime tells, and by which request.</summary>
sealed class Event
{
    public EventKind Kind;
    public int Request, Thread, Id, ExitCode;
    public string Text;
}

enum EventKind
{
    VmStart = 0, VmDeath = 1, ThreadStart = 2, ThreadDeath = 3, AppDomainCreate = 4, AppDomainUnload = 5, MethodEntry = 6, MethodExit = 7,
    AssemblyLoad = 8, AssemblyUnload = 9, Breakpoint = 10, Step = 11, TypeLoad = 12, Exception = 13, KeepAlive = 14, UserBreak = 15,
    UserLog = 16, Crash = 17,
}

/// <summary>
/// Questions to the runtime of the program and what it tells, over the wire protocol of Mono's soft debugger: packets with a header of
/// eleven bytes, numbers with the highest byte first. It may be the program that speaks: what breaks the protocol ends the connection.
/// </summary>
sealed class Connection
{
    const string Handshake = "DWP-Handshake";
    const int Header = 11, Reply = 0x80, EventSet = 64, Composite = 100;
    /// <summary>Of one packet, bytes: strings and arrays are asked for piece by piece.</summary>
    const int MostPacket = 8 * 1024 * 1024;
    /// <summary>Events of one packet; there are as many as requests for the same place.</summary>
    const int MostEvents = 10000;
    const int PatienceMs = 10000;

    readonly Socket socket;
    readonly Action<bool, List<Event>> onEvents;
    readonly object gate = new object();
    readonly Dictionary<int, PacketReader> replies = new Dictionary<int, PacketReader>();
    readonly HashSet<int> waited = new HashSet<int>();
    readonly Dictionary<int, int> errors = new Dictionary<int, int>();
    int packetId;
    bool closed;

    /// <summary>`onEvents` is told in order, of a thread of its own, whether all stands still and what has happened; null at the end.</summary>
    public Connection(Socket socket, Action<bool, List<Event>> onEvents)
    {
        this.socket = socket;
        this.onEvents = onEvents;
        socket.NoDelay = true;
    }

    /// <exception cref="Malformed"/>
    public void Start()
    {
        socket.ReceiveTimeout = PatienceMs;
        var greeting = Receive(Handshake.Length);
        if (greeting == null || Encoding.ASCII.GetString(greeting) != Handshake) throw new Malformed("no handshake");
        socket.ReceiveTimeout = 0;
        socket.Send(greeting);
        new Thread(Listen) { IsBackground = true }.Start();
    }

    /// <exception cref="Refused"/>
    public PacketReader Ask(CommandSet set, int command, PacketWriter question = null, int patienceMs = PatienceMs)
    {
        return Wait(Send(set, command, question), patienceMs);
    }

    /// <summary>Its number, by which the answer is waited for.</summary>
    public int Send(CommandSet set, int command, PacketWriter question)
    {
        var body = question == null ? new byte[0] : question.Bytes;
        int id;
        lock (gate)
        {
            if (closed) throw new Refused("The program has ended");
            id = ++packetId;
            waited.Add(id);
        }
        var packet = new PacketWriter().Int(Header + body.Length).Int(id).Byte(0).Byte((int)set).Byte(command).Bytes;
        var whole = new byte[packet.Length + body.Length];
        packet.CopyTo(whole, 0);
        body.CopyTo(whole, packet.Length);
        try
        {
            lock (socket) socket.Send(whole);
        }
        catch (Exception error) when (error is SocketException || error is ObjectDisposedException)
        {
            throw new Refused("The program has ended");
        }
        return id;
    }

    /// <summary>Null when it has not come in time; it may be waited for again. <exception cref="Refused"/></summary>
    public PacketReader TryWait(int id, int patienceMs)
    {
        var until = Environment.TickCount + patienceMs;
        lock (gate)
        {
            while (!replies.ContainsKey(id))
            {
                if (closed) throw new Refused("The program has ended");
                var left = until - Environment.TickCount;
                if (left <= 0) return null;
                Monitor.Wait(gate, left);
            }
            var reply = replies[id];
            var error = errors[id];
            replies.Remove(id);
            errors.Remove(id);
            if (error != 0) throw new RuntimeError(error);
            return reply;
        }
    }

    public void Forget(int id)
    {
        lock (gate) waited.Remove(id);
    }

    public void Close()
    {
        lock (gate)
        {
            closed = true;
            Monitor.PulseAll(gate);
        }
        socket.Close();
    }

    PacketReader Wait(int id, int patienceMs)
    {
        var reply = TryWait(id, patienceMs);
        if (reply != null) return reply;
        Forget(id);
        throw new Refused("The program's runtime does not answer");
    }

    void Listen()
    {
        try
        {
            while (Take()) { }
        }
        catch (Exception error) when (error is Malformed || error is Refused || error is SocketException || error is ObjectDisposedException)
        {
        }
        Close();
        onEvents(false, null);
    }

    bool Take()
    {
        var header = Receive(Header);
        if (header == null) return false;
        var head = new PacketReader(header);
        var length = head.Int();
        var id = head.Int();
        var isReply = head.Byte() == Reply;
        if (length < Header || length > MostPacket) throw new Malformed("a packet of " + length + " bytes");
        var body = Receive(length - Header);
        if (body == null) return false;
        if (!isReply)
        {
            if (head.Byte() == EventSet && head.Byte() == Composite) TakeEvents(new PacketReader(body));
            return true;
        }
        lock (gate)
        {
            // What nobody has asked for is nothing to be kept.
            if (!waited.Remove(id)) return true;
            errors[id] = head.Byte() << 8 | head.Byte();
            replies[id] = new PacketReader(body);
            Monitor.PulseAll(gate);
        }
        return true;
    }

    void TakeEvents(PacketReader packet)
    {
        var stands = packet.Byte() == 2;
        var count = packet.Count(9);
        if (count > MostEvents) throw new Malformed("too many events in one packet");
        var events = new List<Event>();
        for (var i = 0; i < count; i++) events.Add(ReadEvent(packet));
        onEvents(stands, events);
    }

    static Event ReadEvent(PacketReader packet)
    {
        var told = new Event { Kind = (EventKind)packet.Byte(), Request = packet.Int(), Thread = packet.Int() };
        switch (told.Kind)
        {
            case EventKind.VmStart:
            case EventKind.ThreadStart:
            case EventKind.ThreadDeath:
            case EventKind.UserBreak:
            case EventKind.KeepAlive: break;
            case EventKind.VmDeath: told.ExitCode = packet.Int(); break;
            case EventKind.Breakpoint:
            case EventKind.Step:
                told.Id = packet.Int();
                packet.Long();
                break;
            case EventKind.UserLog:
                packet.Int();
                packet.Text();
                told.Text = packet.Text();
                break;
            case EventKind.Crash:
                packet.Long();
                packet.Text();
                break;
            case EventKind.AppDomainCreate:
            case EventKind.AppDomainUnload:
            case EventKind.AssemblyLoad:
            case EventKind.AssemblyUnload:
            case EventKind.MethodEntry:
            case EventKind.MethodExit:
            case EventKind.TypeLoad:
            case EventKind.Exception: told.Id = packet.Int(); break;
            default: throw new Malformed("an event of an unknown kind " + (int)told.Kind);
        }
        return told;
    }

    /// <summary>Null at the end.</summary>
    byte[] Receive(int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var some = socket.Receive(bytes, read, count - read, SocketFlags.None);
            if (some <= 0) return null;
            read += some;
        }
        return bytes;
    }
}
