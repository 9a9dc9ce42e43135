using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

/// <summary>
/// Makes a whole program of a bare one, for a compiler that knows no top-level statements: prints the file that is its
/// argument with the usual namespaces at hand, its statements in a Main, its functions beside that, and its types as they
/// are. Line directives keep the compiler's words about the user's own lines. A program with a Main of its own only
/// gains the namespaces. What it can't do: a function of the file's top level sees no variable of it.
/// </summary>
static class Wrap
{
    const string Usings =
        "using System; using System.Collections.Generic; using System.IO; using System.Linq; using System.Net.Http; " +
        "using System.Threading; using System.Threading.Tasks; using System.Text;";

    static readonly HashSet<string> Modifiers = new HashSet<string>(
        "public internal private protected static abstract sealed partial unsafe readonly ref new async extern virtual override".Split(' '));
    static readonly HashSet<string> Types = new HashSet<string>("class struct interface enum delegate record namespace".Split(' '));
    static readonly HashSet<string> Controls = new HashSet<string>(
        "if for foreach while do switch using lock fixed try return throw await new checked unchecked yield goto break continue else catch finally var base this typeof nameof sizeof default".Split(' '));
    static readonly HashSet<string> Continued = new HashSet<string>("else catch finally while".Split(' '));

    enum Kind { Using, Type, Function, Statement }

    static int Main(string[] args)
    {
        var source = File.ReadAllText(args[0]);
        // A script may name its interpreter, and references that are there anyway.
        if (source.StartsWith("#!")) source = "//" + source.Substring(2);
        var tokens = Token.Read(source);
        var chunks = Chunks(source, tokens).ToList();
        var output = new StringBuilder(Usings).Append('\n');
        var name = args.Length > 1 ? args[1] : Path.GetFileName(args[0]);
        if (chunks.All(chunk => chunk.Kind != Kind.Statement))
        {
            Console.Out.Write(output.Append("#line 1 \"").Append(name).Append("\"\n").Append(source).Append('\n'));
            return 0;
        }
        Action<Kind> emit = kind =>
        {
            foreach (var chunk in chunks.Where(chunk => chunk.Kind == kind))
            {
                output.Append("\n#line ").Append(chunk.Line).Append(" \"").Append(name).Append("\"\n");
                output.Append(' ', chunk.Column);
                if (kind == Kind.Function && !chunk.IsStatic) output.Append("static ");
                output.Append(source, chunk.Start, chunk.End - chunk.Start);
            }
        };
        emit(Kind.Using);
        emit(Kind.Type);
        var statements = chunks.Where(chunk => chunk.Kind == Kind.Statement).SelectMany(chunk => chunk.Tokens).ToList();
        var isAsync = statements.Any(token => token.Text == "await");
        var leaves = statements.Zip(statements.Skip(1), (a, b) => a.Text == "return" && b.Text == ";").Any(found => found);
        var result = leaves ? (isAsync ? "Task" : "void") : (isAsync ? "Task<int>" : "int");
        output.Append("\n#line hidden\nstatic class Program__\n{\n");
        if (isAsync)
        {
            output.Append(leaves ? "static void Main(string[] args) { " : "static int Main(string[] args) { return ");
            output.Append("Run__(args).GetAwaiter().GetResult(); }\n");
        }
        output.Append(isAsync ? "static async " : "static ").Append(result);
        output.Append(isAsync ? " Run__" : " Main").Append("(string[] args)\n{\n");
        emit(Kind.Statement);
        output.Append("\n#line hidden\n").Append(leaves ? "}\n" : "return 0;\n}\n");
        emit(Kind.Function);
        output.Append("\n#line hidden\n}\n");
        Console.Out.Write(output);
        return 0;
    }

    sealed class Chunk
    {
        public Kind Kind;
        public int Start, End, Line, Column;
        public bool IsStatic;
        public List<Token> Tokens;
    }

    static IEnumerable<Chunk> Chunks(string source, List<Token> tokens)
    {
        for (var at = 0; at < tokens.Count;)
        {
            var end = EndOf(tokens, at);
            var part = tokens.GetRange(at, end - at);
            var first = part[0];
            yield return new Chunk
            {
                Kind = KindOf(part),
                Start = first.Start,
                End = part[part.Count - 1].End,
                Line = first.Line,
                Column = first.Column,
                IsStatic = part.TakeWhile(token => Modifiers.Contains(token.Text)).Any(token => token.Text == "static"),
                Tokens = part,
            };
            at = end;
        }
    }

    /// <summary>Index after the declaration or statement that begins at a token.</summary>
    static int EndOf(List<Token> tokens, int from)
    {
        var depth = 0;
        // `x = new[] { 1 };` and `() => { };` go on after their brace; `if (x) { }` and `class X { }` do not.
        var isExpression = false;
        for (var i = from; i < tokens.Count; i++)
        {
            var text = tokens[i].Text;
            if (text == "(" || text == "[" || text == "{") depth++;
            if (text == ")" || text == "]" || text == "}") depth--;
            if (depth > 0) continue;
            if (text == "=" || text == "=>" || text == "return" || text == "new" || text == "await" || text == "throw") isExpression = true;
            if (text == ";") return i + 1;
            if (text != "}" || isExpression) continue;
            var next = i + 1 < tokens.Count ? tokens[i + 1].Text : "";
            if (next == "while" && tokens[from].Text != "do") return i + 1;
            if (Continued.Contains(next)) continue;
            if (next == ";" && KindOf(tokens.GetRange(from, i + 1 - from)) == Kind.Type) return i + 2;
            return i + 1;
        }
        return tokens.Count;
    }

    static Kind KindOf(List<Token> part)
    {
        var words = part.Select(token => token.Text).ToList();
        if (words[0] == "using" && words.Count > 2 && words[1] != "(" &&
            (words[1] == "static" || words[2] == "=" || words[2] == "." || words[2] == ";")) return Kind.Using;
        if (words[0] == "extern" || (words[0] == "[" && words.Count > 1 && words[1] == "assembly")) return Kind.Using;
        var at = 0;
        // Attributes belong to what follows them.
        while (at < words.Count && words[at] == "[")
        {
            var depth = 0;
            do
            {
                if (words[at] == "[") depth++;
                if (words[at] == "]") depth--;
                at++;
            } while (depth > 0 && at < words.Count);
        }
        while (at < words.Count && Modifiers.Contains(words[at]) && words[at] != "new") at++;
        if (at < words.Count && Types.Contains(words[at]) && at + 1 < words.Count && words[at + 1] != "(" && words[at + 1] != "{")
            return Kind.Type;
        return IsFunction(words, at) ? Kind.Function : Kind.Statement;
    }

    /// <summary>A type, a name, parameters, and a body.</summary>
    static bool IsFunction(List<string> words, int at)
    {
        if (at >= words.Count || Controls.Contains(words[at]) || !IsWord(words[at]) && words[at] != "(") return false;
        var open = words.FindIndex(at + 1, word => word == "(" || word == "=" || word == ";" || word == "{");
        if (words[at] == "(")
        {
            // A tuple as its result.
            open = words.FindIndex(words.IndexOf(")", at) + 1, word => word == "(" || word == "=" || word == ";" || word == "{");
        }
        if (open < at + 2 || words[open] != "(") return false;
        var name = open - 1;
        if (words[name] == ">") name = words.LastIndexOf("<", name) - 1;
        if (name <= at || !IsWord(words[name]) || Controls.Contains(words[name])) return false;
        var before = words[name - 1];
        if (before == "." || !(IsWord(before) || before == ">" || before == "]" || before == "?" || before == ")")) return false;
        var depth = 0;
        for (var i = open; i < words.Count; i++)
        {
            if (words[i] == "(") depth++;
            if (words[i] == ")") depth--;
            if (depth == 0) return i + 1 < words.Count && (words[i + 1] == "{" || words[i + 1] == "=>" || words[i + 1] == "where");
        }
        return false;
    }

    static bool IsWord(string text)
    {
        return text.Length > 0 && (char.IsLetter(text[0]) || text[0] == '_' || text[0] == '@');
    }

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
}
