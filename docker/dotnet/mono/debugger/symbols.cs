using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

/// <summary>A place in a method of the program, by the line that it comes from.</summary>
sealed class Place
{
    public int Method, Offset, Line;
}

/// <summary>
/// The lines of the program's own files that have code. Of the compiler's file (.mdb) only the numbers of methods are read; their lines
/// are asked of the runtime, which has read it anyway.
/// </summary>
sealed class Symbols
{
    const long Magic = 0x45e82623fd7fa614;
    const int MostMethods = 20000;
    /// <summary>Of what is none of the client's: wrap.cs, which says so, makes a program of statements.</summary>
    const string Own = "/dev/null";

    readonly Dictionary<string, List<Place>> places = new Dictionary<string, List<Place>>();

    public Symbols(Runtime runtime, int assembly, string symbolFile)
    {
        foreach (var token in Tokens(symbolFile))
        {
            var method = runtime.MethodOfToken(assembly, token);
            foreach (var line in runtime.Lines(method))
                if (IsShown(line)) Of(line.File).Add(new Place { Method = method, Offset = line.Offset, Line = line.Number });
        }
    }

    public static bool IsShown(Line line) { return line.File != null && line.File != Own && line.Number > 0; }

    public bool Has(string file) { return places.ContainsKey(file); }

    /// <summary>Where each method begins what stands on a line, or on the next one that has code; none where there is none.</summary>
    public List<Place> At(string file, int line)
    {
        List<Place> all;
        if (!places.TryGetValue(file, out all)) return new List<Place>();
        var below = all.Where(place => place.Line >= line).ToList();
        if (below.Count == 0) return below;
        var first = below.Min(place => place.Line);
        return below.Where(place => place.Line == first).GroupBy(place => place.Method)
            .Select(of => of.OrderBy(place => place.Offset).First()).ToList();
    }

    List<Place> Of(string file)
    {
        List<Place> all;
        return places.TryGetValue(file, out all) ? all : places[file] = new List<Place>();
    }

    /// <summary>Tokens of the methods that have lines. <exception cref="Malformed"/></summary>
    static IEnumerable<int> Tokens(string symbolFile)
    {
        if (!File.Exists(symbolFile)) yield break;
        var bytes = File.ReadAllBytes(symbolFile);
        // A number, a version, what the assembly is known by; then sizes, of which the tenth counts methods and the next says where they are.
        const int sizes = 32;
        if (bytes.Length < sizes + 44 || BitConverter.ToInt64(bytes, 0) != Magic) throw new Malformed("the symbols are none");
        var count = BitConverter.ToInt32(bytes, sizes + 36);
        var from = BitConverter.ToInt32(bytes, sizes + 40);
        if (count < 0 || count > MostMethods || from < 0 || from + 12L * count > bytes.Length) throw new Malformed("the symbols are none");
        for (var i = 0; i < count; i++) yield return BitConverter.ToInt32(bytes, from + 12 * i);
    }
}
