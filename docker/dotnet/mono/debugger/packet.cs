using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

/// <summary>What follows the header of a packet of Mono's soft debugger. Whatever it says, no more is read than there is.</summary>
sealed class PacketReader
{
    /// <summary>Of structs within structs.</summary>
    const int MostDeep = 32;
    /// <summary>Of one packet: each takes many times the room that it has there.</summary>
    const int MostValues = 100000;
    readonly byte[] bytes;
    int at;
    int values;

    public PacketReader(byte[] bytes) { this.bytes = bytes; }

    public int Left { get { return bytes.Length - at; } }

    public int Byte()
    {
        Need(1);
        return bytes[at++];
    }

    public int Int()
    {
        Need(4);
        at += 4;
        return bytes[at - 4] << 24 | bytes[at - 3] << 16 | bytes[at - 2] << 8 | bytes[at - 1];
    }

    public long Long()
    {
        var high = (long)Int();
        return high << 32 | (uint)Int();
    }

    /// <summary>How many of something follow, each of at least as many bytes.</summary>
    public int Count(int bytesEach)
    {
        var count = Int();
        if (count < 0 || (long)count * bytesEach > Left) throw new Malformed("a packet counts more than it holds");
        return count;
    }

    public int[] Ints(int count)
    {
        var all = new int[count];
        for (var i = 0; i < count; i++) all[i] = Int();
        return all;
    }

    public string Text()
    {
        var length = Count(1);
        at += length;
        return Encoding.UTF8.GetString(bytes, at - length, length);
    }

    public string Units(int count)
    {
        Need(count * 2);
        var units = new StringBuilder(count);
        for (var i = 0; i < count; i++, at += 2) units.Append((char)(bytes[at] << 8 | bytes[at + 1]));
        return units.ToString();
    }

    public byte[] Bytes(int count)
    {
        Need(count);
        var some = new byte[count];
        Array.Copy(bytes, at, some, 0, count);
        at += count;
        return some;
    }

    public Value[] Values(int count)
    {
        if (count < 0 || count > Left || count > MostValues) throw new Malformed("a packet counts more values than it holds");
        var all = new Value[count];
        for (var i = 0; i < count; i++) all[i] = Value(0);
        return all;
    }

    public Value Value() { return Value(0); }

    Value Value(int depth)
    {
        if (depth > MostDeep) throw new Malformed("a value is too deep");
        if (++values > MostValues) throw new Malformed("a packet has too many values");
        var value = new Value { Kind = (Kind)Byte() };
        switch (value.Kind)
        {
            case Kind.Boolean: value.Plain = Int() != 0; break;
            case Kind.Char: value.Plain = (char)Int(); break;
            case Kind.I1: value.Plain = (sbyte)Int(); break;
            case Kind.U1: value.Plain = (byte)Int(); break;
            case Kind.I2: value.Plain = (short)Int(); break;
            case Kind.U2: value.Plain = (ushort)Int(); break;
            case Kind.I4: value.Plain = Int(); break;
            case Kind.U4: value.Plain = (uint)Int(); break;
            case Kind.I8: value.Plain = Long(); break;
            case Kind.U8: value.Plain = (ulong)Long(); break;
            case Kind.R4: value.Plain = BitConverter.ToSingle(BitConverter.GetBytes(Int()), 0); break;
            case Kind.R8: value.Plain = BitConverter.Int64BitsToDouble(Long()); break;
            case Kind.I:
            case Kind.U:
            case Kind.Ptr: value.Address = Long(); break;
            case Kind.String:
            case Kind.Array:
            case Kind.SzArray:
            case Kind.Class:
            case Kind.Object: value.Id = Int(); break;
            case Kind.ValueType:
                value.IsEnum = Byte() == 1;
                value.Type = Int();
                var count = Count(1);
                if (count > MostValues) throw new Malformed("a packet has too many values");
                value.Fields = new Value[count];
                for (var i = 0; i < count; i++) value.Fields[i] = Value(depth + 1);
                break;
            case Kind.Null:
            case Kind.Void: break;
            case Kind.TypeId: value.Id = Int(); break;
            // A struct within itself, by where that is: nothing that could be shown.
            case Kind.Parent: Int(); break;
            default: throw new Malformed("a value of an unknown kind " + (int)value.Kind);
        }
        return value;
    }

    void Need(int count)
    {
        if (count < 0 || count > Left) throw new Malformed("a packet ends too early");
    }
}

sealed class PacketWriter
{
    readonly MemoryStream bytes = new MemoryStream();

    public byte[] Bytes { get { return bytes.ToArray(); } }

    public PacketWriter Byte(int value)
    {
        bytes.WriteByte((byte)value);
        return this;
    }

    public PacketWriter Flag(bool value) { return Byte(value ? 1 : 0); }

    public PacketWriter Int(int value) { return Byte(value >> 24).Byte(value >> 16).Byte(value >> 8).Byte(value); }

    public PacketWriter Long(long value) { return Int((int)(value >> 32)).Int((int)value); }

    public PacketWriter Ints(IEnumerable<int> values)
    {
        foreach (var value in values) Int(value);
        return this;
    }

    public PacketWriter Text(string text)
    {
        var encoded = Encoding.UTF8.GetBytes(text);
        Int(encoded.Length);
        bytes.Write(encoded, 0, encoded.Length);
        return this;
    }

    public PacketWriter Value(Value value)
    {
        // Objects of all kinds are taken by one.
        Byte((int)(value.IsObject ? Kind.Object : value.Kind));
        switch (value.Kind)
        {
            case Kind.Boolean: return Int((bool)value.Plain ? 1 : 0);
            case Kind.Char: return Int((char)value.Plain);
            case Kind.I8: return Long((long)value.Plain);
            case Kind.U8: return Long((long)(ulong)value.Plain);
            case Kind.R4: return Int(BitConverter.ToInt32(BitConverter.GetBytes((float)value.Plain), 0));
            case Kind.R8: return Long(BitConverter.DoubleToInt64Bits((double)value.Plain));
            case Kind.U4: return Int((int)(uint)value.Plain);
            case Kind.I1:
            case Kind.U1:
            case Kind.I2:
            case Kind.U2:
            case Kind.I4: return Int(Convert.ToInt32(value.Plain));
            case Kind.I:
            case Kind.U:
            case Kind.Ptr: return Long(value.Address);
            case Kind.ValueType:
                // The runtime takes an enum as the struct that it is, and by no other word.
                Flag(false).Int(value.Type).Int(value.Fields.Length);
                foreach (var field in value.Fields) Value(field);
                return this;
            case Kind.Null: return this;
            default: return Int(value.Id);
        }
    }
}
