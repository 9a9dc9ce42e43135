using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

/// <summary>How values and types are shown, in one line and as C# writes them.</summary>
sealed class Shown
{
    /// <summary>Of one value, characters; beyond it stands an ellipsis.</summary>
    const int MostText = 4096;
    const int MostTypeDepth = 8;

    static readonly Dictionary<string, string> Keywords = new Dictionary<string, string>
    {
        { "System.Boolean", "bool" }, { "System.Char", "char" }, { "System.SByte", "sbyte" }, { "System.Byte", "byte" },
        { "System.Int16", "short" }, { "System.UInt16", "ushort" }, { "System.Int32", "int" }, { "System.UInt32", "uint" },
        { "System.Int64", "long" }, { "System.UInt64", "ulong" }, { "System.Single", "float" }, { "System.Double", "double" },
        { "System.Decimal", "decimal" }, { "System.String", "string" }, { "System.Object", "object" }, { "System.Void", "void" },
    };
    static readonly Dictionary<Kind, string> Kinds = new Dictionary<Kind, string>
    {
        { Kind.Boolean, "bool" }, { Kind.Char, "char" }, { Kind.I1, "sbyte" }, { Kind.U1, "byte" }, { Kind.I2, "short" },
        { Kind.U2, "ushort" }, { Kind.I4, "int" }, { Kind.U4, "uint" }, { Kind.I8, "long" }, { Kind.U8, "ulong" }, { Kind.R4, "float" },
        { Kind.R8, "double" }, { Kind.String, "string" }, { Kind.I, "System.IntPtr" }, { Kind.U, "System.UIntPtr" }, { Kind.Ptr, "pointer" },
        { Kind.Null, "object" }, { Kind.Void, "void" },
    };

    readonly Runtime runtime;

    public Shown(Runtime runtime) { this.runtime = runtime; }

    public string Of(Value value)
    {
        switch (value.Kind)
        {
            case Kind.Null: return "null";
            case Kind.Void: return "void";
            case Kind.String: return Quoted(value);
            case Kind.Char: return "'" + Escaped((char)value.Plain, '\'') + "'";
            case Kind.Boolean: return (bool)value.Plain ? "true" : "false";
            case Kind.I:
            case Kind.U:
            case Kind.Ptr: return "0x" + value.Address.ToString("x");
            case Kind.ValueType: return value.IsEnum ? Enum(value) : "{" + Type(value.Type) + "}";
            case Kind.Array:
            case Kind.SzArray: return Array(value);
        }
        if (value.Plain is IFormattable) return ((IFormattable)value.Plain).ToString(value.Plain is float || value.Plain is double ? "R" : null, CultureInfo.InvariantCulture);
        if (!value.IsObject) return "?";
        var type = runtime.TypeOf(value.Id);
        var message = IsException(type) ? MessageOf(value) : null;
        return "{" + Type(type) + (message == null ? "" : ": " + message) + "}";
    }

    /// <summary>As a program prints it.</summary>
    public string Printed(Value value)
    {
        if (value.IsText) return TextOf(value);
        if (value.Kind == Kind.Char || value.Kind == Kind.Boolean) return value.Plain.ToString();
        return value.Kind == Kind.Null ? "" : Of(value);
    }

    public string TextOf(Value value)
    {
        return value.Plain as string ?? runtime.Text(value.Id, MostText);
    }

    public string TypeOf(Value value)
    {
        if (value.Kind == Kind.ValueType) return Type(value.Type);
        string name;
        if (Kinds.TryGetValue(value.Kind, out name)) return name;
        return value.IsObject ? Type(runtime.TypeOf(value.Id)) : "?";
    }

    public string Type(int type) { return Type(type, 0); }

    string Type(int type, int depth)
    {
        if (type == 0 || depth > MostTypeDepth) return "?";
        var facts = runtime.Facts(type);
        if (facts.Name.EndsWith("[]", StringComparison.Ordinal) && facts.Element != 0) return Type(facts.Element, depth + 1) + "[]";
        var full = facts.Namespace == "" ? facts.Name : facts.Namespace + "." + facts.Name;
        string keyword;
        if (Keywords.TryGetValue(full, out keyword)) return keyword;
        // Those of the program are known by their own names, and those of the library too: their namespaces are at hand.
        var name = facts.Name.Split('`')[0];
        if (facts.Arguments.Length == 0) return name;
        return name + "<" + string.Join(", ", facts.Arguments.Select(argument => Type(argument, depth + 1))) + ">";
    }

    public bool IsException(int type)
    {
        for (var depth = 0; type != 0 && depth < 100; depth++)
        {
            var facts = runtime.Facts(type);
            if (facts.Namespace == "System" && facts.Name == "Exception") return true;
            type = facts.Base;
        }
        return false;
    }

    /// <summary>Null where it has none.</summary>
    public string MessageOf(Value exception)
    {
        for (var type = runtime.TypeOf(exception.Id); type != 0; type = runtime.Facts(type).Base)
        {
            var field = runtime.FieldsOf(type).FirstOrDefault(each => each.Name == "_message" && !each.IsStatic);
            if (field == null) continue;
            var message = runtime.FieldValues(exception.Id, new[] { field })[0];
            return message.IsText ? TextOf(message) : null;
        }
        return null;
    }

    string Quoted(Value value)
    {
        var text = TextOf(value);
        var quoted = new StringBuilder("\"");
        foreach (var unit in text) quoted.Append(Escaped(unit, '"'));
        quoted.Append('"');
        if (value.Plain == null && runtime.TextLength(value.Id) > text.Length) quoted.Append('…');
        return quoted.ToString();
    }

    static string Escaped(char unit, char quote)
    {
        if (unit == quote || unit == '\\') return "\\" + unit;
        if (unit == '\n') return "\\n";
        if (unit == '\r') return "\\r";
        if (unit == '\t') return "\\t";
        return unit < ' ' ? "\\u" + ((int)unit).ToString("x4") : unit.ToString();
    }

    string Enum(Value value)
    {
        var number = value.Fields.Length > 0 ? value.Fields[0].Plain : null;
        var names = runtime.FieldsOf(value.Type).Where(field => field.IsStatic).Take(1000).ToArray();
        try
        {
            var values = runtime.StaticValues(value.Type, names, 0);
            for (var i = 0; i < names.Length; i++)
            {
                var one = values[i].Kind == Kind.ValueType && values[i].Fields.Length > 0 ? values[i].Fields[0] : values[i];
                if (Equals(one.Plain, number)) return names[i].Name;
            }
        }
        catch (RuntimeError)
        {
            // Its number says as much.
        }
        return Convert.ToString(number, CultureInfo.InvariantCulture);
    }

    string Array(Value value)
    {
        var type = Type(runtime.TypeOf(value.Id));
        var lengths = string.Join(", ", runtime.Lengths(value.Id));
        return type.EndsWith("[]", StringComparison.Ordinal) ? type.Substring(0, type.Length - 1) + lengths + "]" : type + "[" + lengths + "]";
    }
}
