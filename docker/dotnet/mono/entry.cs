using System.Collections.Generic;
using System.Linq;

/// <summary>
/// Gives a program whose Main is asynchronous (C# 7.1) an entry point that this compiler knows: beside it, in its class, a Main
/// with other parameters that waits for it.
/// </summary>
static class EntryPoint
{
    public static string Add(string source, List<Token> tokens)
    {
        var mains = Enumerable.Range(1, tokens.Count).Where(i =>
            i + 1 < tokens.Count && tokens[i].Text == "Main" && tokens[i + 1].Text == "(" && Declaration(tokens, i).Contains("static")).ToList();
        if (mains.Count != 1) return source;
        var at = mains[0];
        var declared = Declaration(tokens, at);
        if (!declared.Contains("Task")) return source;
        var close = Close(tokens, at + 1);
        var end = close + 1 < tokens.Count && tokens[close + 1].Text == "{"
            ? Close(tokens, close + 1)
            : tokens.FindIndex(close, token => token.Text == ";");
        if (end < 0) return source;
        var takesArguments = close > at + 2;
        var call = takesArguments ? "Main(System.Linq.Enumerable.ToArray(System.Linq.Enumerable.Skip(System.Environment.GetCommandLineArgs(), 1)))" : "Main()";
        var head = takesArguments ? "Main()" : "Main(string[] args__)";
        var added = declared.Contains("int")
            ? " static int " + head + " { return " + call + ".GetAwaiter().GetResult(); }"
            : " static void " + head + " { " + call + ".GetAwaiter().GetResult(); }";
        return source.Insert(tokens[end].End, added);
    }

    /// <summary>Modifiers and type before a name.</summary>
    static List<string> Declaration(List<Token> tokens, int name)
    {
        return tokens.Take(name).Reverse().Select(token => token.Text)
            .TakeWhile(text => text != "{" && text != "}" && text != ";" && text != "]" && text != "(" && text != ")").ToList();
    }

    /// <summary>The bracket that closes the one at an index; the last token when none does.</summary>
    static int Close(List<Token> tokens, int open)
    {
        var depth = 0;
        for (var i = open; i < tokens.Count; i++)
        {
            var text = tokens[i].Text;
            if (text == "(" || text == "[" || text == "{") depth++;
            if ((text == ")" || text == "]" || text == "}") && --depth == 0) return i;
        }
        return tokens.Count - 1;
    }
}
