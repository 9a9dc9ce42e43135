using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

/// <summary>What came is not what it should be; the message says what is wrong with it.</summary>
sealed class Malformed : Exception
{
    public Malformed(string message) : base(message) { }
}

/// <summary>
/// JSON as dictionaries, lists, strings, doubles, booleans and null; the libraries that know it take longer to load than a whole
/// debugger may. Reading is bounded in depth, and by its text.
/// </summary>
sealed class Json
{
    const int MostDeep = 64;
    readonly string text;
    int at;

    Json(string text) { this.text = text; }

    /// <exception cref="Malformed"/>
    public static object Read(string text)
    {
        var json = new Json(text);
        var value = json.Value(0);
        json.Space();
        if (json.at < text.Length) throw json.Wrong();
        return value;
    }

    public static string Write(object value)
    {
        var written = new StringBuilder();
        Write(value, written);
        return written.ToString();
    }

    object Value(int depth)
    {
        if (depth > MostDeep) throw new Malformed("JSON is too deep");
        Space();
        switch (Peek())
        {
            case '{': return Object(depth);
            case '[': return List(depth);
            case '"': return String();
            case 't': return Word("true", true);
            case 'f': return Word("false", false);
            case 'n': return Word("null", null);
            default: return Number();
        }
    }

    Dictionary<string, object> Object(int depth)
    {
        var fields = new Dictionary<string, object>();
        at++;
        Space();
        if (Skip('}')) return fields;
        do
        {
            Space();
            var name = String();
            Space();
            if (!Skip(':')) throw Wrong();
            fields[name] = Value(depth + 1);
            Space();
        } while (Skip(','));
        if (!Skip('}')) throw Wrong();
        return fields;
    }

    List<object> List(int depth)
    {
        var values = new List<object>();
        at++;
        Space();
        if (Skip(']')) return values;
        do
        {
            values.Add(Value(depth + 1));
            Space();
        } while (Skip(','));
        if (!Skip(']')) throw Wrong();
        return values;
    }

    string String()
    {
        if (!Skip('"')) throw Wrong();
        var read = new StringBuilder();
        for (;;)
        {
            var next = Take();
            if (next == '"') return read.ToString();
            read.Append(next == '\\' ? Escaped() : next);
        }
    }

    char Escaped()
    {
        var next = Take();
        switch (next)
        {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                int unit;
                if (at + 4 > text.Length) throw Wrong();
                if (!int.TryParse(text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit)) throw Wrong();
                at += 4;
                return (char)unit;
            default: return next;
        }
    }

    object Number()
    {
        var from = at;
        while (at < text.Length && "+-.eE0123456789".IndexOf(text[at]) >= 0) at++;
        double number;
        if (!double.TryParse(text.Substring(from, at - from), NumberStyles.Float, CultureInfo.InvariantCulture, out number)) throw Wrong();
        return number;
    }

    object Word(string word, object value)
    {
        if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0) throw Wrong();
        at += word.Length;
        return value;
    }

    void Space()
    {
        while (at < text.Length && " \t\r\n".IndexOf(text[at]) >= 0) at++;
    }

    char Peek() { return at < text.Length ? text[at] : '\0'; }

    char Take()
    {
        if (at >= text.Length) throw Wrong();
        return text[at++];
    }

    bool Skip(char wanted)
    {
        if (Peek() != wanted) return false;
        at++;
        return true;
    }

    Malformed Wrong() { return new Malformed("no JSON at character " + at); }

    static void Write(object value, StringBuilder to)
    {
        if (value == null) to.Append("null");
        else if (value is string) Quote((string)value, to);
        else if (value is bool) to.Append((bool)value ? "true" : "false");
        else if (value is IDictionary<string, object>)
        {
            var separator = "";
            to.Append('{');
            foreach (var field in (IDictionary<string, object>)value)
            {
                to.Append(separator);
                Quote(field.Key, to);
                to.Append(':');
                Write(field.Value, to);
                separator = ",";
            }
            to.Append('}');
        }
        else if (value is System.Collections.IEnumerable)
        {
            var separator = "";
            to.Append('[');
            foreach (var item in (System.Collections.IEnumerable)value)
            {
                to.Append(separator);
                Write(item, to);
                separator = ",";
            }
            to.Append(']');
        }
        else to.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
    }

    static void Quote(string text, StringBuilder to)
    {
        to.Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var unit = text[i];
            // Half a pair is no character, and could not be written in UTF-8.
            var isHalf = char.IsSurrogate(unit) && !(i + 1 < text.Length && char.IsSurrogatePair(unit, text[i + 1])) &&
                !(i > 0 && char.IsSurrogatePair(text[i - 1], unit));
            if (unit == '"' || unit == '\\') to.Append('\\').Append(unit);
            else if (unit < ' ' || isHalf) to.Append("\\u").Append(((int)unit).ToString("x4"));
            else to.Append(unit);
        }
        to.Append('"');
    }
}
