using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

/// <summary>
/// Names what a program that did not compile uses of a C# that this compiler does not know, in one sentence; says nothing when it
/// finds nothing. It looks at tokens, and at the compiler's words where those tell alone: a program that compiles is never judged.
/// </summary>
static class Newer
{
    static readonly HashSet<string> Declared = new HashSet<string>("( { : ; <".Split(' '));

    /// <summary>What the compiler says of what it does not know, and what that is.</summary>
    static readonly string[][] Words =
    {
        new[] { "Unexpected symbol `static'", "static local functions or lambdas (C# 8, 9)" },
        new[] { "CS0531", "members of interfaces that do something (C# 8)" },
        new[] { "modifier `readonly' is not valid", "readonly members (C# 8)" },
        new[] { "non-nullable value type in order to use it", "nullable reference types (C# 8)" },
        new[] { "name `notnull'", "notnull constraints (C# 8)" },
        new[] { "parameter name `_' is a duplicate", "discards as parameters (C# 9)" },
        new[] { "name `nint'", "native integers (C# 9)" },
        new[] { "name `nuint'", "native integers (C# 9)" },
        new[] { "cannot be initialized with `anonymous method'", "lambdas with a type of their own (C# 10)" },
        new[] { "cannot be initialized with `lambda expression'", "lambdas with a type of their own (C# 10)" },
        new[] { "name `INumber'", "arithmetic of any type (C# 11)" },
        new[] { "CS0225", "params of other types than arrays (C# 13)" },
        new[] { "name `field'", "the field of a property (C# 14)" },
    };

    public static int Report(string compiler, string words, IEnumerable<string> files)
    {
        var told = Words.Where(each => words.Contains(each[0])).Select(each => each[1]);
        var found = files.SelectMany(file => Features(Token.Read(File.ReadAllText(file)))).Concat(told).Distinct().ToList();
        if (found.Count == 0) return 0;
        Console.Error.WriteLine(
            "note: this is Mono's C# compiler (" + compiler + "), which knows C# up to version 7; the program uses " +
            string.Join(", ", found) + ", which only the compiler of the .NET SDK knows.");
        return 0;
    }

    static IEnumerable<string> Features(List<Token> tokens)
    {
        Func<int, string> at = i => i >= 0 && i < tokens.Count ? tokens[i].Text : "";
        Func<int, bool> touches = i => i + 1 < tokens.Count && tokens[i].End == tokens[i + 1].Start;
        for (var i = 0; i < tokens.Count; i++)
        {
            string before = at(i - 1), text = at(i), next = at(i + 1);
            if (text == "record" && Wrap.IsWord(next) && (next == "struct" || next == "class" || Declared.Contains(at(i + 2))))
                yield return "records (C# 9)";
            if (text == "init" && (next == ";" || next == "=>" || next == "{") && (before == ";" || before == "{"))
                yield return "init accessors (C# 9)";
            if (text == "?" && next == "?" && at(i + 2) == "=" && touches(i) && touches(i + 1))
                yield return "??= (C# 8)";
            if (text == "switch" && next == "{") yield return "switch expressions (C# 8)";
            if (text == "." && next == "." && touches(i)) yield return "ranges (C# 8)";
            if (text == "[" && next == "^") yield return "indices from the end (C# 8)";
            if (text == "namespace" && at(NameEnd(tokens, i + 1)) == ";")
                yield return "file-scoped namespaces (C# 10)";
            if (text == "new" && next == "(" && !IsConstraint(tokens, i)) yield return "target-typed new (C# 9)";
            if (text == "is" && (next == "not" || next == "<" || next == ">")) yield return "patterns of C# 9";
            if ((text == "and" || text == "or") && IsOperand(before) && (IsOperand(next) || next == "<" || next == ">"))
                yield return "patterns of C# 9";
            if ((text == "is" || text == "case") && next == "[") yield return "list patterns (C# 11)";
            if (text == "const" && next == "string" && at(i + 3) == "=" && at(i + 4).StartsWith("$"))
                yield return "constant interpolated strings (C# 10)";
            if (text == "u8" && before.EndsWith("\"") && touches(i - 1)) yield return "UTF-8 strings (C# 11)";
            if (text == "file" && (next == "class" || next == "struct" || next == "record" || next == "interface" || next == "enum"))
                yield return "types of one file (C# 11)";
            if (text == "using" && Wrap.IsWord(next) && at(i + 2) == "=" && (at(i + 3) == "(" || at(i + 4) == "["))
                yield return "names for any type (C# 12)";
            if ((text == "string" || text == "object") && next == "?" && before != "is" && before != "as" && (Wrap.IsWord(at(i + 2)) || at(i + 2) == ">"))
                yield return "nullable reference types (C# 8)";
            if ((text == "is" || text == "case") && next == "{") yield return "property patterns (C# 8)";
            if (text == "case" && (next == "<" || next == ">")) yield return "patterns of C# 9";
            if (text == "with" && next == "{") yield return "with expressions (C# 9)";
            if (text == "await" && (next == "foreach" || next == "using")) yield return "await " + next + " (C# 8)";
            if (text == "IAsyncEnumerable") yield return "asynchronous streams (C# 8)";
            if (text == "using" && Wrap.IsWord(next) && next != "static" && Wrap.IsWord(at(i + 2)) && at(i + 3) == "=")
                yield return "using declarations (C# 8)";
            if (text == "global" && next == "using") yield return "global usings (C# 10)";
            if (text == "required" && Wrap.IsWord(next)) yield return "required members (C# 11)";
            if (text == "\"\"" && next.StartsWith("\"") && touches(i)) yield return "raw strings (C# 11)";
            if (text == "=" && next == "[") yield return "collection expressions (C# 12)";
            if ((text == "class" || text == "struct") && Wrap.IsWord(next) && at(i + 2) == "(")
                yield return "primary constructors (C# 12)";
        }
    }

    static bool IsOperand(string text)
    {
        return text == ")" || text.EndsWith("\"") || text.EndsWith("\'") || text != "" && (Wrap.IsWord(text) || char.IsDigit(text[0]));
    }

    static int NameEnd(List<Token> tokens, int from)
    {
        while (from < tokens.Count && (Wrap.IsWord(tokens[from].Text) || tokens[from].Text == ".")) from++;
        return from;
    }

    /// <summary>`where T : new()` is older.</summary>
    static bool IsConstraint(List<Token> tokens, int at)
    {
        var before = tokens[at - 1 < 0 ? 0 : at - 1].Text;
        if (before != ":" && before != ",") return false;
        for (var i = at - 1; i >= 0 && tokens[i].Text != ";" && tokens[i].Text != "{" && tokens[i].Text != "}"; i--)
            if (tokens[i].Text == "where") return true;
        return false;
    }
}
