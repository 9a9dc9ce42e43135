using System;
using System.Collections.Generic;
using System.Linq;

sealed class Stop
{
    public string Reason, Description, Text;
    public int Thread;
    public List<int> Breakpoints = new List<int>();
}

interface IDebuggeeListener
{
    /// <summary>It is loaded and has not begun: breakpoints may be set.</summary>
    void Ready(List<Breakpoint> placed);
    void Stopped(Stop stop);
    void Logged(string text);
}

/// <summary>A program that was started to be debugged: where it stands, and what makes it go on. All of it on one thread.</summary>
sealed class Debuggee
{
    readonly string executable;
    readonly IDebuggeeListener listener;
    readonly Queue<List<Event>> pending = new Queue<List<Event>>();
    readonly Dictionary<int, Frame[]> frames = new Dictionary<int, Frame[]>();
    int assembly, loads, step, entry, exceptions;
    bool caught, uncaught;

    public readonly Runtime Runtime;
    public readonly Shown Shown;
    public readonly Variables Variables;
    public readonly Breakpoints Breakpoints;

    /// <summary>Null while it runs.</summary>
    public Stop Stands { get; private set; }
    /// <summary>What was thrown, where it stands for that.</summary>
    public Value Exception { get; private set; }
    public bool HasEnded { get; private set; }

    public Debuggee(Connection connection, string executable, Breakpoints breakpoints, IDebuggeeListener listener)
    {
        this.executable = executable;
        this.listener = listener;
        Breakpoints = breakpoints;
        Runtime = new Runtime(connection);
        Shown = new Shown(Runtime);
        Variables = new Variables(Runtime, Shown);
    }

    /// <summary>What the runtime tells, in order.</summary>
    public void Take(bool stands, List<Event> events)
    {
        if (events.Any(each => each.Kind == EventKind.VmDeath)) HasEnded = true;
        // Of its start it is not told that all stands; it does, as it was told to.
        if (!stands && events.All(each => each.Kind != EventKind.VmStart)) return;
        if (Stands != null) pending.Enqueue(events);
        else if (!StoodForAny(events)) Runtime.Resume();
    }

    /// <summary>Lets it begin, up to what it is to stop at.</summary>
    public void Begin(bool stopOnEntry)
    {
        if (stopOnEntry)
        {
            var method = Runtime.EntryPoint(assembly);
            var first = Runtime.Lines(method).FirstOrDefault(Symbols.IsShown);
            if (first != null) entry = Runtime.OnBreakpoint(method, first.Offset);
        }
        Runtime.Resume();
    }

    public void StopAtExceptions(bool all, bool unhandled)
    {
        if (exceptions != 0) Runtime.Clear(EventKind.Exception, exceptions);
        exceptions = 0;
        caught = all;
        uncaught = all || unhandled;
        if (uncaught) exceptions = Runtime.OnException(caught, uncaught);
    }

    public void GoOn()
    {
        Leave();
        if (pending.Count > 0)
        {
            // Another thread has come to something meanwhile: all still stands for it.
            Runtime.Resume();
            if (StoodForAny(pending.Dequeue())) return;
        }
        Runtime.Resume();
    }

    public void Step(int thread, int depth)
    {
        if (step != 0) Runtime.Clear(EventKind.Step, step);
        step = 0;
        step = Runtime.OnStep(thread, depth);
        GoOn();
    }

    public void Pause()
    {
        if (Stands != null) return;
        Runtime.Suspend();
        var threads = Runtime.Threads();
        if (threads.Length == 0) throw new Refused("There is no thread yet");
        var thread = threads.FirstOrDefault(HasOwnFrame);
        Tell(new Stop { Reason = "pause", Thread = thread != 0 ? thread : threads[0] });
    }

    /// <summary>From the innermost.</summary>
    public Frame[] Frames(int thread)
    {
        if (Stands == null) throw new Refused("The program runs");
        Frame[] known;
        return frames.TryGetValue(thread, out known) ? known : frames[thread] = Runtime.Frames(thread);
    }

    /// <summary>Of its own file; null where there is none.</summary>
    public Line LineOf(Frame frame) { return Runtime.Lines(frame.Method).LastOrDefault(line => line.Offset <= frame.Offset && Symbols.IsShown(line)); }

    public Scope ScopeOf(Frame frame, bool mayRun) { return new Scope(Runtime, Variables, Shown, frame, assembly, mayRun); }

    public Frame Top()
    {
        if (Stands == null) throw new Refused("The program runs");
        return Frames(Stands.Thread).FirstOrDefault() ?? throw new Refused("The thread has no frames");
    }

    /// <summary>What can't be looked into is no reason to stand, where nobody would be told of it.</summary>
    bool StoodForAny(List<Event> events)
    {
        try
        {
            return Stood(events);
        }
        catch (RuntimeError)
        {
            return false;
        }
    }

    /// <summary>Whether it is to stand for what has happened.</summary>
    bool Stood(List<Event> events)
    {
        frames.Clear();
        var stop = new Stop { Thread = events[0].Thread };
        foreach (var told in events)
        {
            switch (told.Kind)
            {
                case EventKind.VmStart:
                    Runtime.Agree();
                    loads = Runtime.OnEvent(EventKind.AssemblyLoad);
                    Runtime.OnEvent(EventKind.UserBreak);
                    return false;
                case EventKind.AssemblyLoad:
                    if (Runtime.Location(told.Id) != executable) return false;
                    Loaded(told.Id);
                    return true;
                case EventKind.UserLog:
                    listener.Logged(told.Text);
                    break;
                case EventKind.UserBreak:
                    stop.Reason = "breakpoint";
                    stop.Description = "Paused by the program";
                    break;
                case EventKind.Exception: Thrown(told, stop); break;
                case EventKind.Breakpoint: Hit(told, stop); break;
                case EventKind.Step:
                    if (stop.Reason == null && StepsOn(told.Thread)) return false;
                    stop.Reason = stop.Reason ?? "step";
                    break;
            }
        }
        if (stop.Reason == null) return false;
        Tell(stop);
        return true;
    }

    void Loaded(int id)
    {
        assembly = id;
        Runtime.Clear(EventKind.AssemblyLoad, loads);
        listener.Ready(Breakpoints.Bind(Runtime, new Symbols(Runtime, id, executable + ".mdb")));
    }

    void Thrown(Event told, Stop stop)
    {
        // What the library throws and catches itself is none of the program's.
        if (!HasOwnFrame(told.Thread)) return;
        Exception = new Value { Kind = Kind.Object, Id = told.Id };
        stop.Reason = "exception";
        stop.Description = "Paused on an exception";
        var message = Shown.MessageOf(Exception);
        stop.Text = Shown.Type(Runtime.TypeOf(told.Id)) + (message == null ? "" : ": " + message);
    }

    /// <summary>Whether it has come to code that no file of the client's has, and goes on to where one does.</summary>
    bool StepsOn(int thread)
    {
        var frame = Runtime.Frames(thread).FirstOrDefault();
        if (frame == null) return false;
        var line = Runtime.Lines(frame.Method).LastOrDefault(each => each.Offset <= frame.Offset);
        if (line == null || Symbols.IsShown(line)) return false;
        Runtime.Clear(EventKind.Step, step);
        step = Runtime.OnStep(thread, 1);
        return true;
    }

    void Hit(Event told, Stop stop)
    {
        if (told.Request == entry)
        {
            Runtime.Clear(EventKind.Breakpoint, entry);
            entry = 0;
            stop.Reason = stop.Reason ?? "entry";
            return;
        }
        var breakpoint = Breakpoints.OfRequest(told.Request);
        if (breakpoint == null) return;
        var frame = Runtime.Frames(told.Thread).FirstOrDefault();
        if (frame == null) return;
        try
        {
            if (breakpoint.Condition != null && !Arithmetic.Truth(breakpoint.Condition(ScopeOf(frame, true)))) return;
        }
        catch (Refused refused)
        {
            listener.Logged("The condition in line " + breakpoint.Line + ": " + refused.Message);
        }
        if (!Breakpoints.Counts(breakpoint)) return;
        if (breakpoint.LogMessage != null)
        {
            listener.Logged(Logged(breakpoint.LogMessage, frame));
            return;
        }
        stop.Reason = "breakpoint";
        stop.Breakpoints.Add(breakpoint.Id);
    }

    /// <summary>Text with expressions in braces, of which one that can't be evaluated says so.</summary>
    string Logged(string message, Frame frame)
    {
        var parts = message.Split('{');
        for (var i = 1; i < parts.Length; i++)
        {
            var end = parts[i].IndexOf('}');
            if (end < 0) continue;
            parts[i] = Evaluated(parts[i].Substring(0, end), frame) + parts[i].Substring(end + 1);
        }
        return string.Concat(parts);
    }

    string Evaluated(string expression, Frame frame)
    {
        try
        {
            return Shown.Printed(Expression.Read(expression)(ScopeOf(frame, true)));
        }
        catch (Refused refused)
        {
            return refused.Message;
        }
    }

    void Tell(Stop stop)
    {
        if (step != 0)
        {
            Runtime.Clear(EventKind.Step, step);
            step = 0;
        }
        frames.Clear();
        Stands = stop;
        listener.Stopped(stop);
    }

    void Leave()
    {
        Stands = null;
        Exception = null;
        frames.Clear();
        Variables.Forget();
    }

    bool HasOwnFrame(int thread) { return Runtime.Frames(thread).Any(frame => LineOf(frame) != null); }
}
