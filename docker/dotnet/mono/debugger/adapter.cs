using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;

/// <summary>
/// A debug adapter for programs of C# on Mono (Debug Adapter Protocol), over the runtime's own debugger; one program, one client. It runs
/// in the sandbox of what it debugs, and compiles it itself, with symbols and without optimization.
/// </summary>
sealed class Adapter : IDebuggeeListener
{
    const int Into = 0, Over = 1, Out = 2;
    /// <summary>A program that was started has connected by then, milliseconds.</summary>
    const int ConnectMs = 30000;
    /// <summary>One that has cut its debugger off is ended after this long, milliseconds.</summary>
    const int CutOffMs = 1000;

    readonly Messages messages;
    readonly Work work;
    readonly Breakpoints breakpoints = new Breakpoints();
    readonly Dictionary<string, Func<Fields, Fields>> requests;
    /// <summary>What is asked of a program that is being made, in order.</summary>
    readonly List<Fields> waiting = new List<Fields>();
    readonly List<Frame> frames = new List<Frame>();
    /// <summary>Ids of frames are not used again, so that one of an earlier stop is known as such.</summary>
    int firstFrame = 1;
    int lineBase = 1, columnBase = 1;
    Fields launch;
    Program program;
    Debuggee debuggee;
    Connection connection;
    Timer patience;
    bool isReady, isConfigured, hasBegun, hasEnded, stopsAtAll, stopsAtUncaught;

    public Adapter(Messages messages, Work work)
    {
        this.messages = messages;
        this.work = work;
        requests = new Dictionary<string, Func<Fields, Fields>>
        {
            { "setBreakpoints", SetBreakpoints }, { "setExceptionBreakpoints", SetExceptionBreakpoints }, { "exceptionInfo", ExceptionInfo },
            { "threads", Threads }, { "stackTrace", StackTrace }, { "scopes", args => new Fields { { "scopes", Stoppable().Variables.Scopes(FrameOf(args)) } } },
            { "variables", ListVariables }, { "setVariable", SetVariable }, { "evaluate", Evaluate },
            { "continue", args => GoOn(() => Stoppable().GoOn(), new Fields { { "allThreadsContinued", true } }) },
            { "next", args => Step(args, Over) }, { "stepIn", args => Step(args, Into) }, { "stepOut", args => Step(args, Out) },
            { "pause", args => Done(() => Stoppable().Pause()) },
            { "terminate", args => Done(() => { if (program != null) program.Stop(); }) }, { "disconnect", args => Done(End) },
        };
    }

    /// <summary>Answers a request, whatever it holds.</summary>
    public void Take(Fields request)
    {
        var command = request.Text("command", "");
        try
        {
            if (command == "initialize") Initialize(request);
            else if (command == "launch") Launch(request);
            else if (command == "configurationDone") Configured(request);
            else if (command.StartsWith("set", StringComparison.Ordinal) && launch != null && !isReady && !hasEnded) waiting.Add(request);
            else Answer(request);
        }
        catch (Exception error) when (error is Refused || error is Malformed || error is IOException || error is UnauthorizedAccessException ||
            error is ArgumentException)
        {
            // The last are of paths that are none.
            Refuse(request, error.Message);
        }
    }

    void Answer(Fields request)
    {
        Func<Fields, Fields> handle;
        var command = request.Text("command", "");
        if (!requests.TryGetValue(command, out handle)) throw new Refused(command + " is not known here");
        Succeed(request, handle(request.Object("arguments")));
        if (stopToTell == null) return;
        var stop = stopToTell;
        stopToTell = null;
        TellStop(stop);
    }

    public void End()
    {
        if (program != null) program.Kill();
    }

    void Initialize(Fields request)
    {
        var args = request.Object("arguments");
        lineBase = args.Flag("linesStartAt1", true) ? 1 : 0;
        columnBase = args.Flag("columnsStartAt1", true) ? 1 : 0;
        Succeed(request, new Fields
        {
            { "supportsConfigurationDoneRequest", true }, { "supportsConditionalBreakpoints", true }, { "supportsHitConditionalBreakpoints", true },
            { "supportsLogPoints", true }, { "supportsEvaluateForHovers", true }, { "supportsSetVariable", true }, { "supportsExceptionInfoRequest", true },
            { "supportsTerminateRequest", true }, { "supportsDelayedStackTraceLoading", true },
            {
                "exceptionBreakpointFilters", new[]
                {
                    new Fields { { "filter", "all" }, { "label", "All exceptions" }, { "default", false } },
                    new Fields { { "filter", "uncaught" }, { "label", "Uncaught exceptions" }, { "default", true } },
                }
            },
        });
    }

    /// <summary>Answered when the program begins.</summary>
    void Launch(Fields request)
    {
        if (launch != null) throw new Refused("There is a program already");
        launch = request;
        // What is set while the program is compiled waits until that is done.
        Tell("initialized");
        var path = request.Object("arguments").Text("program", "");
        new Thread(() =>
        {
            string executable = null;
            var words = Path.GetFileName(path) + " does not compile";
            try
            {
                executable = Compilation.Of(path, Output);
            }
            catch (Exception error) when (error is Refused || error is IOException || error is UnauthorizedAccessException)
            {
                words = error.Message;
            }
            work.Add(() => Compiled(executable, words));
        }) { IsBackground = true }.Start();
    }

    void Compiled(string executable, string words)
    {
        if (executable != null)
            try
            {
                Start(executable);
                return;
            }
            catch (Exception error) when (error is Refused || error is SocketException)
            {
                words = error.Message;
            }
        hasEnded = true;
        Refuse(launch, words);
        AnswerWaiting();
        Tell("terminated");
    }

    void Start(string executable)
    {
        var args = launch.Object("arguments");
        var noDebug = args.Flag("noDebug");
        var command = new List<string> { "mono", "--debug" };
        if (!noDebug) command.Add("--debugger-agent=transport=dt_socket,server=n,suspend=y,address=127.0.0.1:" + Listen(executable));
        command.Add(executable);
        command.AddRange(args.List("args").OfType<string>());
        program = new Program(command, args.Text("cwd", "/"), args.Object("env"), Output, code => work.Add(() => Ended(code)));
        Tell("process", new Fields
        {
            { "name", args.Text("program") }, { "systemProcessId", program.Id }, { "isLocalProcess", false }, { "startMethod", "launch" },
        });
        if (!noDebug) return;
        hasBegun = true;
        Succeed(launch, null);
        AnswerWaiting();
    }

    /// <summary>Where the runtime of the program is to connect: the first to come is taken for it, and nobody after that.</summary>
    int Listen(string executable)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(1);
        new Thread(() =>
        {
            Socket socket = null;
            for (var waited = 0; waited < ConnectMs && !listener.Pending(); waited += 2) Thread.Sleep(2);
            if (listener.Pending()) socket = listener.AcceptSocket();
            listener.Stop();
            if (socket != null) work.Add(() => Connected(socket, executable));
        }) { IsBackground = true }.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    void Connected(Socket socket, string executable)
    {
        try
        {
            connection = new Connection(socket, OnEvents);
            debuggee = new Debuggee(connection, executable, breakpoints, this);
            connection.Start();
        }
        catch (Exception error) when (error is Malformed || error is SocketException)
        {
            OnEvents(false, null);
        }
    }

    /// <summary>Of the connection's thread.</summary>
    void OnEvents(bool stands, List<Event> events)
    {
        if (events == null)
        {
            patience = new Timer(_ => work.Add(CutOff), null, CutOffMs, Timeout.Infinite);
            return;
        }
        if (stands && debuggee.Runtime.Invokes)
        {
            // It happens in what is run for the debugger itself.
            connection.Forget(connection.Send(CommandSet.Vm, 4, null));
            return;
        }
        work.Add(() => Guarded(() => debuggee.Take(stands, events)));
    }

    void CutOff()
    {
        if (hasEnded || debuggee != null && debuggee.HasEnded) return;
        Tell("output", new Fields { { "category", "important" }, { "output", "The program can't be debugged any longer, and is ended\n" } });
        End();
    }

    /// <summary>That the program has gone is told elsewhere; what is no answer of a runtime ends it.</summary>
    void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (Malformed)
        {
            connection.Close();
        }
        catch (Refused)
        {
        }
    }

    void Configured(Fields request)
    {
        isConfigured = true;
        Succeed(request, null);
        Begin();
    }

    void Begin()
    {
        if (!isReady || !isConfigured || hasBegun) return;
        hasBegun = true;
        Succeed(launch, null);
        debuggee.Begin(launch.Object("arguments").Flag("stopOnEntry"));
    }

    void AnswerWaiting()
    {
        var all = waiting.ToArray();
        waiting.Clear();
        foreach (var request in all) Take(request);
    }

    void Ended(int code)
    {
        if (connection != null) connection.Close();
        if (patience != null) patience.Dispose();
        hasEnded = true;
        if (!hasBegun) Succeed(launch, null);
        hasBegun = true;
        AnswerWaiting();
        Tell("exited", new Fields { { "exitCode", code } });
        Tell("terminated");
    }

    // What the program's debugger tells.

    public void Ready(List<Breakpoint> placed)
    {
        isReady = true;
        foreach (var breakpoint in placed) Tell("breakpoint", new Fields { { "reason", "changed" }, { "breakpoint", ToldBreakpoint(breakpoint) } });
        debuggee.StopAtExceptions(stopsAtAll, stopsAtUncaught);
        AnswerWaiting();
        // It has not begun: what it stands for now is none of the client's.
        work.Add(() => Guarded(Begin), waits: false);
    }

    Stop stopToTell;
    bool answers;

    /// <summary>What comes of a request is told after its answer.</summary>
    public void Stopped(Stop stop)
    {
        if (answers) stopToTell = stop;
        else TellStop(stop);
    }

    void TellStop(Stop stop)
    {
        var body = new Fields { { "reason", stop.Reason }, { "threadId", stop.Thread }, { "allThreadsStopped", true } };
        if (stop.Description != null) body["description"] = stop.Description;
        if (stop.Text != null) body["text"] = stop.Text;
        if (stop.Breakpoints.Count > 0) body["hitBreakpointIds"] = stop.Breakpoints;
        Tell("stopped", body);
    }

    public void Logged(string text) { Output("console", text + "\n"); }

    // What the client asks.

    Fields SetBreakpoints(Fields args)
    {
        var path = args.Object("source").Text("path");
        if (path == null) throw new Refused("Breakpoints are set in files, by their path");
        var asked = args.List("breakpoints");
        foreach (var each in asked.OfType<Dictionary<string, object>>())
            if (each.ContainsKey("line") && each["line"] is double) each["line"] = (double)each["line"] + 1 - lineBase;
        return new Fields { { "breakpoints", breakpoints.Set(path, asked).Select(ToldBreakpoint).ToArray() } };
    }

    Fields SetExceptionBreakpoints(Fields args)
    {
        var filters = args.List("filters").OfType<string>().ToArray();
        stopsAtAll = filters.Contains("all");
        stopsAtUncaught = filters.Contains("uncaught");
        if (isReady && !hasEnded) debuggee.StopAtExceptions(stopsAtAll, stopsAtUncaught);
        return null;
    }

    Fields ExceptionInfo(Fields args)
    {
        var exception = Stoppable().Exception;
        if (exception == null) throw new Refused("Nothing was thrown");
        var type = debuggee.Shown.Type(debuggee.Runtime.TypeOf(exception.Id));
        var message = debuggee.Shown.MessageOf(exception) ?? "";
        return new Fields
        {
            { "exceptionId", type }, { "description", message }, { "breakMode", stopsAtAll ? "always" : "unhandled" },
            { "details", new Fields { { "typeName", type }, { "message", message } } },
        };
    }

    Fields Threads(Fields args)
    {
        if (debuggee == null || hasEnded || !isReady) return new Fields { { "threads", new Fields[0] } };
        return new Fields
        {
            {
                "threads", debuggee.Runtime.Threads().Select((thread, i) =>
                {
                    var name = debuggee.Runtime.ThreadName(thread);
                    return new Fields { { "id", thread }, { "name", name != "" ? name : i == 0 ? "Main" : "Thread " + thread } };
                }).ToArray()
            },
        };
    }

    Fields StackTrace(Fields args)
    {
        var all = Stoppable().Frames(args.Number("threadId"));
        var start = Math.Max(args.Number("startFrame"), 0);
        var levels = args.Number("levels");
        var shown = all.Skip(start).Take(levels > 0 ? levels : all.Length).Select(ToldFrame).ToArray();
        return new Fields { { "stackFrames", shown }, { "totalFrames", all.Length } };
    }

    Fields ToldFrame(Frame frame)
    {
        frames.Add(frame);
        var line = debuggee.LineOf(frame);
        var told = new Fields
        {
            { "id", firstFrame + frames.Count - 1 }, { "name", NameOf(frame.Method) }, { "line", line == null ? 0 : line.Number - 1 + lineBase },
            { "column", line == null ? 0 : columnBase },
        };
        if (line == null) told["presentationHint"] = "subtle";
        else told["source"] = Source(line.File);
        return told;
    }

    /// <summary>Top-level statements and functions are in a class that the program does not know.</summary>
    string NameOf(int method)
    {
        var name = debuggee.Runtime.MethodName(method);
        var type = debuggee.Shown.Type(debuggee.Runtime.DeclaringType(method));
        return type == "Program__" ? name : type + "." + name;
    }

    Fields ListVariables(Fields args)
    {
        var stands = Stoppable();
        var list = stands.Variables.List(args.Number("variablesReference"), args.Text("filter"), args.Number("start"), args.Number("count"));
        return new Fields { { "variables", list } };
    }

    Fields SetVariable(Fields args)
    {
        var variables = Stoppable().Variables;
        var reference = args.Number("variablesReference");
        var name = args.Text("name", "");
        var slot = variables.Find(reference, name);
        var wanted = Expression.Read(args.Text("value", ""))(debuggee.ScopeOf(debuggee.Top(), true));
        slot.Set(Fitting(slot.Value, wanted));
        return variables.Of(variables.Find(reference, name));
    }

    Value Fitting(Value now, Value wanted)
    {
        if (now.Plain != null) return new Value { Kind = now.Kind, Plain = Arithmetic.Converted(wanted.Plain, now.Kind) };
        if (now.IsEnum)
            return wanted.IsEnum ? wanted : new Value { Kind = now.Kind, IsEnum = true, Type = now.Type, Fields = new[] { Fitting(now.Fields[0], wanted) } };
        if (wanted.IsText && wanted.Plain != null) return new Value { Kind = Kind.String, Id = debuggee.Runtime.NewText((string)wanted.Plain) };
        if (wanted.Kind == Kind.Null || wanted.IsObject || wanted.Kind == Kind.ValueType && now.Kind == Kind.ValueType) return wanted;
        throw new Refused("It does not take that value");
    }

    Fields Evaluate(Fields args)
    {
        var frame = args.ContainsKey("frameId") ? FrameOf(args) : Stoppable().Top();
        // What is pointed at must not change anything.
        var scope = debuggee.ScopeOf(frame, args.Text("context") != "hover");
        var value = Expression.Read(args.Text("expression", ""))(scope);
        if (value.Kind == Kind.TypeId) return new Fields { { "result", debuggee.Shown.Type(value.Id) }, { "variablesReference", 0 } };
        return debuggee.Variables.Of(new Slot { Value = value }, "result");
    }

    Fields Step(Fields args, int depth) { return GoOn(() => Stoppable().Step(args.Number("threadId"), depth), null); }

    Fields GoOn(Action how, Fields answer)
    {
        if (Stoppable().Stands == null) throw new Refused("The program runs");
        firstFrame += frames.Count;
        frames.Clear();
        return Done(how, answer);
    }

    Fields Done(Action action, Fields answer = null)
    {
        answers = true;
        try
        {
            action();
        }
        finally
        {
            answers = false;
        }
        return answer;
    }

    Frame FrameOf(Fields args)
    {
        var index = args.Number("frameId") - firstFrame;
        if (Stoppable().Stands == null || index < 0 || index >= frames.Count) throw new Refused("The program has gone on since");
        return frames[index];
    }

    Debuggee Stoppable()
    {
        if (hasEnded) throw new Refused("The program has ended");
        if (debuggee == null || !hasBegun) throw new Refused("There is no program yet that could be debugged");
        return debuggee;
    }

    Fields ToldBreakpoint(Breakpoint breakpoint)
    {
        var told = new Fields
        {
            { "id", breakpoint.Id }, { "verified", breakpoint.IsVerified }, { "line", Math.Abs(breakpoint.Line) - 1 + lineBase },
            { "source", Source(breakpoint.File) },
        };
        if (breakpoint.Message != null) told["message"] = breakpoint.Message;
        return told;
    }

    static Fields Source(string path) { return new Fields { { "name", Path.GetFileName(path) }, { "path", path } }; }

    // What goes to the client.

    void Output(string category, string text) { Tell("output", new Fields { { "category", category }, { "output", text } }); }

    void Tell(string name, Fields body = null)
    {
        var message = new Fields { { "type", "event" }, { "event", name } };
        if (body != null) message["body"] = body;
        messages.Send(message);
    }

    void Succeed(Fields request, Fields body)
    {
        var message = Response(request, true);
        if (body != null) message["body"] = body;
        messages.Send(message);
    }

    void Refuse(Fields request, string words)
    {
        var message = Response(request, false);
        message["message"] = words;
        message["body"] = new Fields { { "error", new Fields { { "id", 1 }, { "format", words } } } };
        messages.Send(message);
    }

    static Fields Response(Fields request, bool success)
    {
        return new Fields
        {
            { "type", "response" }, { "request_seq", request.Number("seq") }, { "command", request.Text("command", "") }, { "success", success },
        };
    }
}
