using System;
using System.Collections.Generic;

/// <summary>A word, a sign or a literal of a C# program, and where it is; comments and directives are none.</summary>
sealed class Token
{
    public string Text;
    public int Start, End, Line, Column;

    public static List<Token> Read(string source)
    {
        var tokens = new List<Token>();
        int line = 1, lineStart = 0, counted = 0;
        for (var at = 0; at < source.Length;)
        {
            var end = Skip(source, at);
            if (end > at) { at = end; continue; }
            end = EndOfToken(source, at);
            for (; counted < at; counted++)
            {
                if (source[counted] != '\n') continue;
                line++;
                lineStart = counted + 1;
            }
            tokens.Add(new Token { Text = source.Substring(at, end - at), Start = at, End = end, Line = line, Column = at - lineStart });
            at = end;
        }
        return tokens;
    }

    /// <summary>End of the white space, comment or directive that begins here; the same place when none does.</summary>
    static int Skip(string source, int at)
    {
        if (char.IsWhiteSpace(source[at]) || source[at] == '\uFEFF') return at + 1;
        var lineComment = string.CompareOrdinal(source, at, "//", 0, 2) == 0;
        var directive = source[at] == '#' && source.Substring(0, at).TrimEnd(' ', '\t').EndsWith("\n") || source[at] == '#' && at == 0;
        if (lineComment || directive)
        {
            var end = source.IndexOf('\n', at);
            return end < 0 ? source.Length : end;
        }
        if (string.CompareOrdinal(source, at, "/*", 0, 2) == 0)
        {
            var end = source.IndexOf("*/", at + 2, StringComparison.Ordinal);
            return end < 0 ? source.Length : end + 2;
        }
        return at;
    }

    static int EndOfToken(string source, int at)
    {
        var quote = at;
        while (quote < source.Length && quote < at + 2 && (source[quote] == '$' || source[quote] == '@')) quote++;
        if (quote < source.Length && source[quote] == '"')
        {
            var prefix = source.Substring(at, quote - at);
            return EndOfString(source, quote + 1, prefix.Contains("@"), prefix.Contains("$"));
        }
        if (source[at] == '\'') return EndOfCharacter(source, at + 1);
        var end = at;
        while (end < source.Length && (char.IsLetterOrDigit(source[end]) || source[end] == '_' || source[end] == '@' && end == at)) end++;
        if (end > at) return end;
        return string.CompareOrdinal(source, at, "=>", 0, 2) == 0 || string.CompareOrdinal(source, at, "==", 0, 2) == 0 ? at + 2 : at + 1;
    }

    static int EndOfString(string source, int at, bool verbatim, bool interpolated)
    {
        while (at < source.Length)
        {
            var letter = source[at];
            if (letter == '\\' && !verbatim) { at += 2; continue; }
            if (letter == '"')
            {
                if (!verbatim || at + 1 >= source.Length || source[at + 1] != '"') return at + 1;
                at += 2;
                continue;
            }
            if (letter == '{' && interpolated)
            {
                if (at + 1 < source.Length && source[at + 1] == '{') { at += 2; continue; }
                at = EndOfHole(source, at + 1);
                continue;
            }
            at++;
        }
        return source.Length;
    }

    /// <summary>After the brace that closes a hole of an interpolated string, which may hold strings itself.</summary>
    static int EndOfHole(string source, int at)
    {
        for (var depth = 1; at < source.Length;)
        {
            if (source[at] == '{') depth++;
            if (source[at] == '}' && --depth == 0) return at + 1;
            var next = Skip(source, at);
            at = next > at ? next : EndOfToken(source, at);
        }
        return source.Length;
    }

    static int EndOfCharacter(string source, int at)
    {
        while (at < source.Length && source[at] != '\'' && source[at] != '\n') at += source[at] == '\\' ? 2 : 1;
        return Math.Min(at + 1, source.Length);
    }
}
