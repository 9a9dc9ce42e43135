/// <summary>What a value is to the runtime: the element types of ECMA-335 II.23.1.16, and some of the debugger's own.</summary>
enum Kind
{
    Void = 0x01, Boolean = 0x02, Char = 0x03, I1 = 0x04, U1 = 0x05, I2 = 0x06, U2 = 0x07, I4 = 0x08, U4 = 0x09, I8 = 0x0a, U8 = 0x0b,
    R4 = 0x0c, R8 = 0x0d, String = 0x0e, Ptr = 0x0f, ValueType = 0x11, Class = 0x12, Array = 0x14, I = 0x18, U = 0x19, Object = 0x1c,
    SzArray = 0x1d, Null = 0xf0, TypeId = 0xf1, Parent = 0xf2,
}

/// <summary>A value of the program: what fits into one is here, of an object only by which number the runtime knows it.</summary>
sealed class Value
{
    public static readonly Value Null = new Value { Kind = Kind.Null };

    public Kind Kind;
    /// <summary>A number, a truth, a character or the text of a string that the program does not have; null for all else.</summary>
    public object Plain;
    public long Address;
    /// <summary>Of an object.</summary>
    public int Id;
    /// <summary>Of a struct or an enum.</summary>
    public int Type;
    public bool IsEnum;
    public Value[] Fields;

    public bool IsObject
    {
        get { return Kind == Kind.String || Kind == Kind.Class || Kind == Kind.Object || IsArray; }
    }

    public bool IsArray { get { return Kind == Kind.Array || Kind == Kind.SzArray; } }

    public bool IsText { get { return Kind == Kind.String; } }

    public static Value Of(object plain) { return new Value { Kind = KindOf(plain), Plain = plain }; }

    static Kind KindOf(object plain)
    {
        if (plain is bool) return Kind.Boolean;
        if (plain is char) return Kind.Char;
        if (plain is sbyte) return Kind.I1;
        if (plain is byte) return Kind.U1;
        if (plain is short) return Kind.I2;
        if (plain is ushort) return Kind.U2;
        if (plain is int) return Kind.I4;
        if (plain is uint) return Kind.U4;
        if (plain is long) return Kind.I8;
        if (plain is ulong) return Kind.U8;
        if (plain is float) return Kind.R4;
        if (plain is double) return Kind.R8;
        return Kind.String;
    }
}
