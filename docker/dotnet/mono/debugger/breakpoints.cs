using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;

sealed class Breakpoint
{
    public int Id, Line, Hits;
    public string File, Message, LogMessage, HitCondition;
    public Evaluated Condition;
    public bool IsVerified;
    public readonly List<int> Requests = new List<int>();
}

/// <summary>The breakpoints of a program, by the files they are set in; there are requests of the runtime's for those that have code.</summary>
sealed class Breakpoints
{
    /// <summary>Of one file.</summary>
    const int Most = 1000;
    static readonly Regex HitCount = new Regex(@"^\s*(==|>=|<=|>|<|%)?\s*(\d{1,9})\s*$");

    readonly Dictionary<string, List<Breakpoint>> ofFile = new Dictionary<string, List<Breakpoint>>();
    readonly Dictionary<int, Breakpoint> ofRequest = new Dictionary<int, Breakpoint>();
    Runtime runtime;
    Symbols symbols;
    int id;

    /// <summary>Those of a file, in place of what it had; `line` of each counts from 1. <exception cref="Refused"/></summary>
    public List<Breakpoint> Set(string file, List<object> asked)
    {
        if (asked.Count > Most) throw new Refused("A file has at most " + Most + " breakpoints");
        List<Breakpoint> before;
        if (ofFile.TryGetValue(file, out before)) before.ForEach(Remove);
        var all = asked.Select(each => Asked(file, Fields.Of(each))).ToList();
        ofFile[file] = all;
        if (runtime != null) all.ForEach(Bind);
        return all;
    }

    /// <summary>The program is loaded and has not begun: resolves to what was set before, which now has its place.</summary>
    public List<Breakpoint> Bind(Runtime runtime, Symbols symbols)
    {
        this.runtime = runtime;
        this.symbols = symbols;
        var all = ofFile.Values.SelectMany(each => each).ToList();
        all.ForEach(Bind);
        return all;
    }

    public Breakpoint OfRequest(int request)
    {
        Breakpoint found;
        return ofRequest.TryGetValue(request, out found) ? found : null;
    }

    /// <summary>Counts a hit; whether it is one to stop at. A number alone is the first, and all after it.</summary>
    public static bool Counts(Breakpoint breakpoint)
    {
        breakpoint.Hits++;
        if (breakpoint.HitCondition == null) return true;
        var read = HitCount.Match(breakpoint.HitCondition);
        if (!read.Success) return true;
        var number = int.Parse(read.Groups[2].Value, CultureInfo.InvariantCulture);
        switch (read.Groups[1].Value)
        {
            case "==": return breakpoint.Hits == number;
            case "<=": return breakpoint.Hits <= number;
            case ">": return breakpoint.Hits > number;
            case "<": return breakpoint.Hits < number;
            case "%": return number != 0 && breakpoint.Hits % number == 0;
            default: return breakpoint.Hits >= number;
        }
    }

    Breakpoint Asked(string file, Fields asked)
    {
        var breakpoint = new Breakpoint
        {
            Id = ++id, File = file, Line = asked.Number("line"), LogMessage = Filled(asked.Text("logMessage")), Message = "Not compiled yet",
            HitCondition = Filled(asked.Text("hitCondition")),
        };
        var condition = Filled(asked.Text("condition"));
        try
        {
            if (condition != null) breakpoint.Condition = Expression.Read(condition);
            if (breakpoint.HitCondition != null && !HitCount.IsMatch(breakpoint.HitCondition)) throw new Refused("A hit count is a number, and == >= <= > < or % before it");
        }
        catch (Refused refused)
        {
            breakpoint.Message = refused.Message;
            breakpoint.Line = -breakpoint.Line;
        }
        return breakpoint;
    }

    void Bind(Breakpoint breakpoint)
    {
        // Its condition can't be read: it would stop where nobody wants it.
        if (breakpoint.Line < 0) return;
        var places = symbols.At(breakpoint.File, breakpoint.Line);
        breakpoint.Message = symbols.Has(breakpoint.File) ? "There is no code here or below" : "The file is not part of the program";
        foreach (var place in places)
        {
            int request;
            try
            {
                request = runtime.OnBreakpoint(place.Method, place.Offset);
            }
            catch (RuntimeError)
            {
                continue;
            }
            breakpoint.Requests.Add(request);
            ofRequest[request] = breakpoint;
            breakpoint.IsVerified = true;
            breakpoint.Line = place.Line;
            breakpoint.Message = null;
        }
    }

    void Remove(Breakpoint breakpoint)
    {
        foreach (var request in breakpoint.Requests)
        {
            ofRequest.Remove(request);
            runtime.Clear(EventKind.Breakpoint, request);
        }
    }

    /// <summary>Editors send what nobody has filled in as nothing.</summary>
    static string Filled(string text) { return string.IsNullOrWhiteSpace(text) ? null : text; }
}
