using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

/// <summary>Says to the readers of C#'s debugger what no runtime and no client would; they refuse it, and nothing else happens.</summary>
static class HostileRuntime
{
    static Random random;

    static int Main(string[] args)
    {
        random = new Random(int.Parse(args[0]));
        Each("packets", 3000, Packet);
        Each("json", 3000, () => Json.Read(Mutated("{\"a\":[1,2.5e3,\"x\\u00e9\\n\",true,null,{\"b\":{}}],\"c\":-1}")));
        Each("messages", 1000, () => new Messages(new MemoryStream(Encoding.UTF8.GetBytes(Mutated("Content-Length: 8\r\n\r\n{\"a\":12}"))), Stream.Null).Read());
        Each("expressions", 3000, () => Expression.Read(Soup()));
        Written();
        Counted();
        for (var i = 0; i < 20; i++) Connected();
        Console.WriteLine("well");
        return 0;
    }

    static void Each(string what, int rounds, Action action)
    {
        for (var i = 0; i < rounds; i++)
            try
            {
                action();
            }
            catch (Malformed) { }
            catch (Refused) { }
            catch (Exception error)
            {
                Console.WriteLine(what + ": " + error);
                Environment.Exit(1);
            }
    }

    static void Packet()
    {
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        // Half of them begin as a value does.
        if (bytes.Length > 0 && random.Next(2) == 0) bytes[0] = new byte[] { 0x11, 0x1d, 0x0e, 0x02, 0xf0 }[random.Next(5)];
        var packet = new PacketReader(bytes);
        while (packet.Left > 0)
            switch (random.Next(6))
            {
                case 0: packet.Values(random.Next(5)); break;
                case 1: packet.Text(); break;
                case 2: packet.Ints(packet.Count(4)); break;
                case 3: packet.Long(); break;
                case 4: packet.Units(random.Next(10)); break;
                default: packet.Value(); break;
            }
    }

    static string Mutated(string text)
    {
        var units = text.ToCharArray();
        for (var i = random.Next(4); i >= 0; i--) units[random.Next(units.Length)] = (char)random.Next(128);
        return new string(units).Substring(0, random.Next(units.Length + 1));
    }

    static string Soup()
    {
        var parts = new[] { "a", ".", "[", "]", "(", ")", "1", "0x", "1e5", "\"s\"", "'c'", "+", "-", "!", "==", "&&", "ToString", "\\", "9999999999999999999999", "$", " " };
        return string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => parts[random.Next(parts.Length)]));
    }

    /// <summary>What is written is read as it was.</summary>
    static void Written()
    {
        foreach (var plain in new object[] { true, 'x', (sbyte)-3, (byte)200, (short)-300, (ushort)60000, -70000, 4000000000u, -5000000000L, ulong.MaxValue, 1.5f, -2.25 })
        {
            var read = new PacketReader(new PacketWriter().Value(Value.Of(plain)).Bytes).Value();
            if (!Equals(read.Plain, plain)) throw new Exception("written " + plain + ", read " + read.Plain);
        }
        var text = "\"\\\n\u00e9\ud83d\ude00";
        if ((string)Json.Read(Json.Write(text)) != text) throw new Exception("a text is not what it was");
    }

    /// <summary>What counts more than there is takes no room.</summary>
    static void Counted()
    {
        var deep = Enumerable.Repeat(new byte[] { 0x11, 0, 0, 0, 0, 1, 0, 0, 0, 1 }, 1000).SelectMany(each => each).ToArray();
        var many = new byte[1024 * 1024];
        for (var i = 0; i < many.Length; i++) many[i] = 0xf0;
        var refused = 0;
        foreach (var action in new Action[]
        {
            () => new PacketReader(new byte[] { 0x7f, 0xff, 0xff, 0xff }).Count(1), () => new PacketReader(new byte[] { 0x7f, 0xff, 0xff, 0xff }).Text(),
            () => new PacketReader(new byte[] { 0xff, 0xff, 0xff, 0xff }).Count(1), () => new PacketReader(deep).Value(),
            () => new PacketReader(many).Values(many.Length), () => Json.Read(new string('[', 100000)),
        })
            try
            {
                action();
            }
            catch (Malformed)
            {
                refused++;
            }
        if (refused != 6) throw new Exception("refused " + refused);
    }

    /// <summary>A connection to what is no runtime ends, once, and leaves no question unanswered.</summary>
    static void Connected()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var hostile = new TcpClient();
        hostile.Connect((IPEndPoint)listener.LocalEndpoint);
        var ended = new ManualResetEvent(false);
        var connection = new Connection(listener.AcceptSocket(), (stands, events) =>
        {
            if (events == null) ended.Set();
        });
        listener.Stop();
        hostile.GetStream().Write(Encoding.ASCII.GetBytes("DWP-Handshake"), 0, 13);
        connection.Start();
        var asking = new Thread(() => Each("a question", 1, () => connection.Ask(CommandSet.Vm, 1)));
        asking.Start();
        for (var i = 0; i < 50; i++)
        {
            var body = new byte[random.Next(40)];
            random.NextBytes(body);
            var kind = random.Next(3);
            var packet = new PacketWriter().Int(i == 49 ? 1 << 30 : 11 + body.Length).Int(1).Byte(kind == 0 ? 0x80 : 0).Byte(64).Byte(100).Bytes.Concat(body).ToArray();
            try
            {
                hostile.GetStream().Write(packet, 0, packet.Length);
            }
            catch (IOException)
            {
                // It was ended already.
                break;
            }
        }
        ended.WaitOne();
        asking.Join();
        hostile.Close();
    }
}
