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

    // Not `#line hidden`: this compiler then hides lines of the file that have the numbers of those.
    const string Own = "\n#line 1 \"/dev/null\"\n";

    static readonly HashSet<string> Modifiers = new HashSet<string>(
        "public internal private protected static abstract sealed partial unsafe readonly ref new async extern virtual override".Split(' '));
    static readonly HashSet<string> Types = new HashSet<string>("class struct interface enum delegate record namespace".Split(' '));
    static readonly HashSet<string> Controls = new HashSet<string>(
        "if for foreach while do switch using lock fixed try return throw await new checked unchecked yield goto break continue else catch finally var base this typeof nameof sizeof default".Split(' '));
    static readonly HashSet<string> Continued = new HashSet<string>("else catch finally while".Split(' '));

    enum Kind { Using, Type, Function, Statement }

    static int Main(string[] args)
    {
        if (args[0] == "--newer") return Newer.Report(args[1], File.ReadAllText(args[2]), args.Skip(3));
        var source = File.ReadAllText(args[0]);
        // A script may name its interpreter, and references that are there anyway.
        if (source.StartsWith("#!")) source = "//" + source.Substring(2);
        var tokens = Token.Read(source);
        var chunks = Chunks(source, tokens).ToList();
        var output = new StringBuilder(Usings).Append('\n');
        var name = args.Length > 1 ? args[1] : Path.GetFileName(args[0]);
        if (chunks.All(chunk => chunk.Kind != Kind.Statement))
        {
            var whole = EntryPoint.Add(source, tokens);
            Console.Out.Write(output.Append("#line 1 \"").Append(name).Append("\"\n").Append(whole).Append('\n'));
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
        output.Append(Own + "static class Program__\n{\n");
        if (isAsync)
        {
            output.Append(leaves ? "static void Main(string[] args) { " : "static int Main(string[] args) { return ");
            output.Append("Run__(args).GetAwaiter().GetResult(); }\n");
        }
        output.Append(isAsync ? "static async " : "static ").Append(result);
        output.Append(isAsync ? " Run__" : " Main").Append("(string[] args)\n{\n");
        emit(Kind.Statement);
        output.Append(Own).Append(leaves ? "}\n" : "return 0;\n}\n");
        emit(Kind.Function);
        output.Append(Own).Append("}\n");
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

    public static bool IsWord(string text)
    {
        return text.Length > 0 && (char.IsLetter(text[0]) || text[0] == '_' || text[0] == '@');
    }
}
