using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

/// <summary>An expression as it was read: asked of a scope it is a value. <exception cref="Refused"/></summary>
delegate Value Evaluated(Scope scope);

/// <summary>
/// Reads what may be asked in a stopped program: names, members, indexes, literals, comparison and arithmetic of simple values. All else
/// of C# would need its compiler, and is refused in words.
/// </summary>
sealed class Expression
{
    const int MostText = 4096, MostDeep = 64;
    static readonly string[] Operators =
    {
        "&&", "||", "==", "!=", "<=", ">=", "??", "=>", "++", "--", "+=", "-=", "*=", "/=", "<<", ">>", "<", ">", "+", "-", "*", "/", "%", "!", "(", ")",
        "[", "]", ".", ",", "?", ":", "=", "&", "|", "^", "~", "{", "}", ";",
    };
    /// <summary>From what binds least.</summary>
    static readonly string[][] Levels =
    {
        new[] { "||" }, new[] { "&&" }, new[] { "==", "!=" }, new[] { "<", ">", "<=", ">=" }, new[] { "+", "-" }, new[] { "*", "/", "%" },
    };

    readonly List<Token> tokens;
    int at;
    int depth;

    Expression(List<Token> tokens) { this.tokens = tokens; }

    /// <exception cref="Refused"/>
    public static Evaluated Read(string text)
    {
        if (text.Length > MostText) throw new Refused("The expression is longer than " + MostText + " characters");
        var expression = new Expression(Tokens(text));
        if (expression.tokens.Count == 0) throw new Refused("The expression is empty");
        var read = expression.Binary(0);
        if (expression.at < expression.tokens.Count) throw expression.NotHere();
        return read;
    }

    Evaluated Binary(int level)
    {
        if (level == Levels.Length) return Unary();
        var left = Binary(level + 1);
        while (at < tokens.Count && tokens[at].IsOperator && Levels[level].Contains(tokens[at].Text))
        {
            var sign = tokens[at++].Text;
            var before = left;
            var right = Binary(level + 1);
            if (sign == "&&") left = scope => Value.Of(Arithmetic.Truth(before(scope)) && Arithmetic.Truth(right(scope)));
            else if (sign == "||") left = scope => Value.Of(Arithmetic.Truth(before(scope)) || Arithmetic.Truth(right(scope)));
            else left = scope => Arithmetic.Of(sign, before(scope), right(scope), scope.Shown);
        }
        return left;
    }

    Evaluated Unary()
    {
        if (++depth > MostDeep) throw new Refused("The expression is too deep");
        try
        {
            if (Skip("!"))
            {
                var denied = Unary();
                return scope => Value.Of(!Arithmetic.Truth(denied(scope)));
            }
            if (Skip("-"))
            {
                var negated = Unary();
                return scope => Arithmetic.Of("-", Value.Of(0), negated(scope), scope.Shown);
            }
            if (Skip("+")) return Unary();
            return Postfix(Primary());
        }
        finally
        {
            depth--;
        }
    }

    Evaluated Postfix(Evaluated of)
    {
        for (;;)
        {
            var before = of;
            if (Skip("."))
            {
                var name = Name();
                if (Skip("("))
                {
                    if (!Skip(")") || name != "ToString") throw new Refused("Of methods only ToString() is called here");
                    of = scope => scope.Printed(before(scope));
                }
                else of = scope => scope.Member(before(scope), name);
            }
            else if (Skip("["))
            {
                var index = Binary(0);
                if (!Skip("]")) throw NotHere();
                of = scope => scope.Element(before(scope), index(scope));
            }
            else return of;
        }
    }

    Evaluated Primary()
    {
        if (Skip("("))
        {
            var inner = Binary(0);
            if (!Skip(")")) throw NotHere();
            return inner;
        }
        if (at >= tokens.Count) throw new Refused("The expression ends too early");
        var token = tokens[at];
        if (token.Literal != null)
        {
            at++;
            return scope => token.Literal;
        }
        var name = Name();
        switch (name)
        {
            case "true": return scope => Value.Of(true);
            case "false": return scope => Value.Of(false);
            case "null": return scope => Value.Null;
            case "new":
            case "typeof":
            case "await":
            case "default":
            case "nameof": throw new Refused(name + " is not evaluated here");
        }
        if (at < tokens.Count && tokens[at].IsOperator && tokens[at].Text == "(") throw new Refused("Methods are not called here, but for ToString()");
        return scope => scope.Named(name);
    }

    string Name()
    {
        if (at < tokens.Count && !tokens[at].IsOperator && tokens[at].Literal == null) return tokens[at++].Text;
        throw NotHere();
    }

    bool Skip(string sign)
    {
        if (at >= tokens.Count || !tokens[at].IsOperator || tokens[at].Text != sign) return false;
        at++;
        return true;
    }

    Refused NotHere()
    {
        return new Refused(at < tokens.Count ? "Not evaluated here: " + tokens[at].Text : "The expression ends too early");
    }

    static List<Token> Tokens(string text)
    {
        var tokens = new List<Token>();
        for (var i = 0; i < text.Length;)
        {
            var first = text[i];
            if (char.IsWhiteSpace(first)) i++;
            else if (first == '"' || first == '\'') tokens.Add(Quoted(text, ref i));
            else if (char.IsDigit(first)) tokens.Add(Number(text, ref i));
            else if (char.IsLetter(first) || first == '_' || first == '@' || first == '$')
            {
                var from = i++;
                while (i < text.Length && (char.IsLetterOrDigit(text[i]) || text[i] == '_')) i++;
                tokens.Add(new Token { Text = text.Substring(from, i - from).TrimStart('@') });
            }
            else
            {
                var sign = Operators.FirstOrDefault(each => string.CompareOrdinal(text, i, each, 0, each.Length) == 0);
                if (sign == null) throw new Refused("Not evaluated here: " + first);
                tokens.Add(new Token { Text = sign, IsOperator = true });
                i += sign.Length;
            }
        }
        return tokens;
    }

    static Token Quoted(string text, ref int at)
    {
        var quote = text[at++];
        var read = new StringBuilder();
        while (at < text.Length && text[at] != quote)
        {
            var next = text[at++];
            if (next != '\\')
            {
                read.Append(next);
                continue;
            }
            if (at >= text.Length) break;
            next = text[at++];
            var known = "ntr0\\\"'".IndexOf(next);
            if (known < 0) throw new Refused("Not read here: \\" + next);
            read.Append("\n\t\r\0\\\"'"[known]);
        }
        if (at >= text.Length) throw new Refused("A quotation does not end");
        at++;
        if (quote == '"') return new Token { Text = read.ToString(), Literal = Value.Of(read.ToString()) };
        if (read.Length != 1) throw new Refused("A char is one character");
        return new Token { Text = read.ToString(), Literal = Value.Of(read[0]) };
    }

    static Token Number(string text, ref int at)
    {
        var from = at;
        while (at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] == '_' ||
            text[at] == '.' && at + 1 < text.Length && char.IsDigit(text[at + 1]))) at++;
        var digits = text.Substring(from, at - from);
        var value = Arithmetic.Literal(digits.Replace("_", "").ToLowerInvariant());
        if (value == null) throw new Refused("Not a number: " + digits);
        return new Token { Text = digits, Literal = Value.Of(value) };
    }

    sealed class Token
    {
        public string Text;
        public bool IsOperator;
        public Value Literal;
    }
}
