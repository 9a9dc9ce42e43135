using System.Collections.Generic;

/// <summary>An object of JSON, by the types that its fields should have: what has another is as if it were not there.</summary>
sealed class Fields : Dictionary<string, object>
{
    static readonly Fields Nothing = new Fields();

    public static Fields Of(object value)
    {
        if (value is Fields) return (Fields)value;
        var read = value as Dictionary<string, object>;
        if (read == null) return Nothing;
        var fields = new Fields();
        foreach (var field in read) fields[field.Key] = field.Value;
        return fields;
    }

    public string Text(string name, string otherwise = null) { return Get(name) as string ?? otherwise; }

    public bool Flag(string name, bool otherwise = false)
    {
        var value = Get(name);
        return value is bool ? (bool)value : otherwise;
    }

    public int Number(string name, int otherwise = 0)
    {
        var value = Get(name);
        if (!(value is double)) return otherwise;
        var number = (double)value;
        return number >= int.MinValue && number <= int.MaxValue ? (int)number : otherwise;
    }

    public Fields Object(string name) { return Of(Get(name)); }

    public List<object> List(string name) { return Get(name) as List<object> ?? new List<object>(); }

    object Get(string name)
    {
        object value;
        return TryGetValue(name, out value) ? value : null;
    }
}
