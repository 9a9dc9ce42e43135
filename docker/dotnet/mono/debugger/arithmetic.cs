using System;
using System.Globalization;

/// <summary>Operators on simple values, by C#'s promotions (ECMA-334 12.4.7); strings are joined and compared.</summary>
static class Arithmetic
{
    /// <summary>Null for what is no number.</summary>
    public static object Literal(string text)
    {
        var invariant = CultureInfo.InvariantCulture;
        ulong whole;
        if (text.StartsWith("0x", StringComparison.Ordinal))
            return ulong.TryParse(text.Substring(2).TrimEnd('u', 'l'), NumberStyles.AllowHexSpecifier, invariant, out whole) ? Smallest(whole, text) : null;
        var digits = text.TrimEnd('u', 'l');
        if (ulong.TryParse(digits, NumberStyles.None, invariant, out whole)) return Smallest(whole, text.Substring(digits.Length));
        double number;
        var last = text[text.Length - 1];
        var isFloat = last == 'f';
        if (isFloat || last == 'd') text = text.Substring(0, text.Length - 1);
        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, invariant, out number)) return null;
        return isFloat ? (object)(float)number : number;
    }

    static object Smallest(ulong whole, string suffix)
    {
        var isLong = suffix.Contains("l");
        var isUnsigned = suffix.Contains("u");
        if (!isLong && !isUnsigned && whole <= int.MaxValue) return (int)whole;
        if (!isLong && whole <= uint.MaxValue) return (uint)whole;
        return !isUnsigned && whole <= long.MaxValue ? (object)(long)whole : whole;
    }

    /// <exception cref="Refused"/>
    public static bool Truth(Value value)
    {
        if (value.Plain is bool) return (bool)value.Plain;
        throw new Refused("Not true or false");
    }

    /// <exception cref="Refused"/>
    public static Value Of(string sign, Value left, Value right, Shown shown)
    {
        left = Underlying(left);
        right = Underlying(right);
        if (sign == "+" && (left.IsText || right.IsText)) return Value.Of(shown.Printed(left) + shown.Printed(right));
        if (sign == "==" || sign == "!=") return Value.Of(Same(left, right, shown) == (sign == "=="));
        if (!IsNumber(left) || !IsNumber(right)) throw new Refused(sign + " is evaluated here for numbers only");
        return Value.Of(Numbers(sign, left.Plain, right.Plain));
    }

    static bool Same(Value left, Value right, Shown shown)
    {
        if (left.Plain is bool && right.Plain is bool) return (bool)left.Plain == (bool)right.Plain;
        if (IsNumber(left) && IsNumber(right)) return (bool)Numbers("==", left.Plain, right.Plain);
        if (left.IsText && right.IsText) return shown.TextOf(left) == shown.TextOf(right);
        if ((left.Kind == Kind.Null || left.IsObject) && (right.Kind == Kind.Null || right.IsObject))
            return left.Kind == right.Kind && left.Id == right.Id;
        throw new Refused("These are not compared here");
    }

    static Value Underlying(Value value) { return value.IsEnum && value.Fields.Length > 0 ? value.Fields[0] : value; }

    static bool IsNumber(Value value) { return value.Plain is IConvertible && !(value.Plain is string) && !(value.Plain is bool); }

    static object Numbers(string sign, object left, object right)
    {
        if (left is double || right is double || left is float || right is float)
        {
            var real = Reals(sign, Real(left), Real(right));
            return real is double && !(left is double) && !(right is double) ? (float)(double)real : real;
        }
        if (left is ulong || right is ulong)
            return Wholes(sign, Unsigned(left), Unsigned(right));
        var whole = Wholes(sign, Whole(left), Whole(right));
        if (!(whole is long) || left is long || right is long) return whole;
        if (left is uint || right is uint) return left is uint && right is uint ? (uint)(long)whole : whole;
        return unchecked((int)(long)whole);
    }

    static double Real(object number) { return number is char ? (char)number : Convert.ToDouble(number, CultureInfo.InvariantCulture); }

    static long Whole(object number) { return number is char ? (char)number : Convert.ToInt64(number, CultureInfo.InvariantCulture); }

    static ulong Unsigned(object number) { return number is ulong ? (ulong)number : unchecked((ulong)Whole(number)); }

    static object Reals(string sign, double left, double right)
    {
        switch (sign)
        {
            case "+": return left + right;
            case "-": return left - right;
            case "*": return left * right;
            case "/": return left / right;
            case "%": return left % right;
            case "==": return left == right;
            default: return Compared(sign, left < right, left == right, left > right);
        }
    }

    static object Wholes(string sign, long left, long right)
    {
        unchecked
        {
            switch (sign)
            {
                case "+": return left + right;
                case "-": return left - right;
                case "*": return left * right;
                case "/": return right == -1 ? -left : left / NotZero(right);
                case "%": return right == -1 ? 0L : left % NotZero(right);
                case "==": return left == right;
                default: return Compared(sign, left < right, left == right, left > right);
            }
        }
    }

    static object Wholes(string sign, ulong left, ulong right)
    {
        unchecked
        {
            switch (sign)
            {
                case "+": return left + right;
                case "-": return left - right;
                case "*": return left * right;
                case "/": return left / (right == 0 ? (ulong)NotZero(0) : right);
                case "%": return left % (right == 0 ? (ulong)NotZero(0) : right);
                case "==": return left == right;
                default: return Compared(sign, left < right, left == right, left > right);
            }
        }
    }

    static bool Compared(string sign, bool less, bool same, bool more)
    {
        return sign[0] == '<' ? less || same && sign == "<=" : more || same && sign == ">=";
    }

    static long NotZero(long number)
    {
        if (number == 0) throw new Refused("Division by zero");
        return number;
    }

    /// <summary>A number as another kind of number, where it fits. <exception cref="Refused"/></summary>
    public static object Converted(object plain, Kind to)
    {
        var invariant = CultureInfo.InvariantCulture;
        // The library would make nothing 0, and numbers of texts.
        if (plain == null || plain is string) throw new Refused("It is no number");
        try
        {
            if (to == Kind.Boolean || plain is bool) return to == Kind.Boolean && plain is bool ? plain : throw new Refused("Not true or false");
            if (plain is char && to != Kind.Char) plain = (int)(char)plain;
            if ((plain is double || plain is float) && to != Kind.R4 && to != Kind.R8) throw new Refused("It is no whole number");
            switch (to)
            {
                case Kind.Char: return plain is char ? plain : (char)Convert.ToUInt16(plain, invariant);
                case Kind.I1: return Convert.ToSByte(plain, invariant);
                case Kind.U1: return Convert.ToByte(plain, invariant);
                case Kind.I2: return Convert.ToInt16(plain, invariant);
                case Kind.U2: return Convert.ToUInt16(plain, invariant);
                case Kind.I4: return Convert.ToInt32(plain, invariant);
                case Kind.U4: return Convert.ToUInt32(plain, invariant);
                case Kind.I8: return Convert.ToInt64(plain, invariant);
                case Kind.U8: return Convert.ToUInt64(plain, invariant);
                case Kind.R4: return Convert.ToSingle(plain, invariant);
                case Kind.R8: return Convert.ToDouble(plain, invariant);
            }
        }
        catch (OverflowException)
        {
            throw new Refused("The number does not fit");
        }
        throw new Refused("It is no number");
    }
}
