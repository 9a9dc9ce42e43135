using System;
using System.Collections.Generic;
using System.Linq;

enum CommandSet
{
    Vm = 1, Object = 9, String = 10, Thread = 11, Array = 13, EventRequest = 15, StackFrame = 16, AppDomain = 20, Assembly = 21, Method = 22, Type = 23,
}

/// <summary>A frame of a thread that stands still; good until it goes on.</summary>
sealed class Frame
{
    public int Thread, Id, Method, Offset;
}

sealed class Line
{
    public int Offset, Number;
    public string File;
}

sealed class Local
{
    public string Name;
    /// <summary>As the runtime counts: locals from 0 up, arguments from -1 down.</summary>
    public int Position, From, To;
}

sealed class Field
{
    public int Id, Type, Attributes;
    public string Name;

    public bool IsStatic { get { return (Attributes & 0x10) != 0; } }
}

sealed class Property
{
    public string Name;
    public int Getter;
}

sealed class TypeFacts
{
    public int Id, Base, Assembly, Element;
    public string Namespace, Name, FullName;
    public bool IsEnum, IsValueType;
    public int[] Arguments;
}

/// <summary>
/// What the runtime of a program is asked, in the words of the protocol. What can't change while it runs is asked once.
/// </summary>
sealed class Runtime
{
    /// <summary>The version of the protocol that is spoken here; newer runtimes then speak it too.</summary>
    const int Major = 2, Minor = 45;
    /// <summary>What the program is made to run is ended after this long, and has as long to end, milliseconds.</summary>
    const int InvokeMs = 2000;
    const int DisableBreakpoints = 1, SingleThreaded = 2, Virtual = 16;

    readonly Connection connection;
    readonly Dictionary<int, TypeFacts> types = new Dictionary<int, TypeFacts>();
    readonly Dictionary<int, Field[]> fields = new Dictionary<int, Field[]>();
    readonly Dictionary<int, Property[]> properties = new Dictionary<int, Property[]>();
    readonly Dictionary<int, Line[]> lines = new Dictionary<int, Line[]>();
    readonly Dictionary<int, Local[]> locals = new Dictionary<int, Local[]>();
    readonly Dictionary<int, string> names = new Dictionary<int, string>();
    readonly Dictionary<int, int> declaring = new Dictionary<int, int>();
    int domain;

    public Runtime(Connection connection) { this.connection = connection; }

    /// <summary>What is run for the debugger runs now: what stops then is none of the client's.</summary>
    public bool Invokes { get; private set; }

    public void Agree() { connection.Ask(CommandSet.Vm, 8, new PacketWriter().Int(Major).Int(Minor)); }

    public void Suspend() { connection.Ask(CommandSet.Vm, 3); }

    public void Resume() { connection.Ask(CommandSet.Vm, 4); }

    public int[] Threads()
    {
        var answer = connection.Ask(CommandSet.Vm, 2);
        return answer.Ints(answer.Count(4));
    }

    public string ThreadName(int thread) { return connection.Ask(CommandSet.Thread, 2, Id(thread)).Text(); }

    public Frame[] Frames(int thread)
    {
        var answer = connection.Ask(CommandSet.Thread, 1, Id(thread).Int(0).Int(-1));
        var frames = new Frame[answer.Count(13)];
        for (var i = 0; i < frames.Length; i++)
        {
            frames[i] = new Frame { Thread = thread, Id = answer.Int(), Method = answer.Int(), Offset = answer.Int() };
            answer.Byte();
        }
        return frames;
    }

    // Requests for events: of a kind, with all standing still, and modifiers.

    public int OnBreakpoint(int method, int offset) { return OnEvent(EventKind.Breakpoint, 1, new PacketWriter().Byte(7).Int(method).Long(offset)); }

    /// <summary>By whole lines; initializers of types and what asks to be stepped through are left out.</summary>
    public int OnStep(int thread, int depth)
    {
        return OnEvent(EventKind.Step, 1, new PacketWriter().Byte(10).Int(thread).Int(1).Int(depth).Int(1 | 2 | 4));
    }

    public int OnException(bool caught, bool uncaught)
    {
        return OnEvent(EventKind.Exception, 1, new PacketWriter().Byte(8).Int(0).Flag(caught).Flag(uncaught).Flag(true));
    }

    public int OnEvent(EventKind kind) { return OnEvent(kind, 0, new PacketWriter()); }

    int OnEvent(EventKind kind, int count, PacketWriter modifiers)
    {
        var question = new PacketWriter().Byte((int)kind).Byte(2).Byte(count);
        foreach (var each in modifiers.Bytes) question.Byte(each);
        return connection.Ask(CommandSet.EventRequest, 1, question).Int();
    }

    public void Clear(EventKind kind, int request) { connection.Ask(CommandSet.EventRequest, 2, new PacketWriter().Byte((int)kind).Int(request)); }

    // Assemblies and methods.

    public string Location(int assembly) { return connection.Ask(CommandSet.Assembly, 1, Id(assembly)).Text(); }

    public int EntryPoint(int assembly) { return connection.Ask(CommandSet.Assembly, 2, Id(assembly)).Int(); }

    public int MethodOfToken(int assembly, int token) { return connection.Ask(CommandSet.Assembly, 12, Id(assembly).Int(token)).Int(); }

    public int TypeNamed(int assembly, string name) { return connection.Ask(CommandSet.Assembly, 5, Id(assembly).Text(name).Flag(false)).Int(); }

    public string MethodName(int method)
    {
        string name;
        return names.TryGetValue(method, out name) ? name : names[method] = connection.Ask(CommandSet.Method, 1, Id(method)).Text();
    }

    public int DeclaringType(int method)
    {
        int type;
        return declaring.TryGetValue(method, out type) ? type : declaring[method] = connection.Ask(CommandSet.Method, 2, Id(method)).Int();
    }

    public bool IsStatic(int method) { return (connection.Ask(CommandSet.Method, 6, Id(method)).Int() & 0x10) != 0; }

    /// <summary>By their offsets; none where there are no symbols.</summary>
    public Line[] Lines(int method)
    {
        Line[] known;
        if (lines.TryGetValue(method, out known)) return known;
        try
        {
            known = ReadLines(connection.Ask(CommandSet.Method, 3, Id(method)));
        }
        catch (RuntimeError)
        {
            known = new Line[0];
        }
        return lines[method] = known;
    }

    static Line[] ReadLines(PacketReader answer)
    {
        answer.Int();
        var files = new string[answer.Count(20)];
        for (var i = 0; i < files.Length; i++)
        {
            files[i] = answer.Text();
            answer.Bytes(16);
        }
        var all = new Line[answer.Count(24)];
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = new Line { Offset = answer.Int(), Number = answer.Int() };
            var file = answer.Int();
            if (file >= 0 && file < files.Length) all[i].File = files[file];
            answer.Int();
            answer.Int();
            answer.Int();
        }
        return all.OrderBy(line => line.Offset).ToArray();
    }

    /// <summary>Arguments, then locals.</summary>
    public Local[] Locals(int method)
    {
        Local[] known;
        if (locals.TryGetValue(method, out known)) return known;
        var all = new List<Local>();
        var parameters = connection.Ask(CommandSet.Method, 4, Id(method));
        parameters.Int();
        var count = parameters.Count(8);
        parameters.Ints(2 + count);
        for (var i = 0; i < count; i++) all.Add(new Local { Name = parameters.Text(), Position = -i - 1, To = int.MaxValue });
        try
        {
            ReadLocals(connection.Ask(CommandSet.Method, 5, Id(method)), all);
        }
        catch (RuntimeError)
        {
            // There are no symbols.
        }
        return locals[method] = all.Where(local => local.Name != "").ToArray();
    }

    static void ReadLocals(PacketReader answer, List<Local> to)
    {
        answer.Ints(answer.Count(8) * 2);
        var found = new Local[answer.Count(16)];
        answer.Ints(found.Length);
        for (var i = 0; i < found.Length; i++) found[i] = new Local { Name = answer.Text(), Position = i };
        foreach (var local in found)
        {
            local.From = answer.Int();
            local.To = answer.Int();
        }
        to.AddRange(found);
    }

    // Values of frames.

    public Value[] FrameValues(Frame frame, IEnumerable<int> positions)
    {
        var all = positions.ToArray();
        return connection.Ask(CommandSet.StackFrame, 1, Id(frame.Thread).Int(frame.Id).Int(all.Length).Ints(all)).Values(all.Length);
    }

    public Value This(Frame frame) { return connection.Ask(CommandSet.StackFrame, 2, Id(frame.Thread).Int(frame.Id)).Value(); }

    public void SetFrameValue(Frame frame, int position, Value value)
    {
        connection.Ask(CommandSet.StackFrame, 3, Id(frame.Thread).Int(frame.Id).Int(1).Int(position).Value(value));
    }

    // Types and objects.

    public TypeFacts Facts(int type)
    {
        TypeFacts known;
        if (types.TryGetValue(type, out known)) return known;
        var answer = connection.Ask(CommandSet.Type, 1, Id(type));
        known = new TypeFacts { Id = type, Namespace = answer.Text(), Name = answer.Text(), FullName = answer.Text(), Assembly = answer.Int() };
        answer.Int();
        known.Base = answer.Int();
        known.Element = answer.Int();
        answer.Int();
        answer.Byte();
        answer.Int();
        var flags = answer.Byte();
        known.IsValueType = (flags & 8) != 0;
        known.IsEnum = (flags & 16) != 0;
        answer.Ints(answer.Count(4));
        answer.Int();
        known.Arguments = (flags & 64) != 0 ? answer.Ints(answer.Count(4)) : new int[0];
        return types[type] = known;
    }

    public Field[] FieldsOf(int type)
    {
        Field[] known;
        if (fields.TryGetValue(type, out known)) return known;
        var answer = connection.Ask(CommandSet.Type, 3, Id(type));
        known = new Field[answer.Count(16)];
        for (var i = 0; i < known.Length; i++)
            known[i] = new Field { Id = answer.Int(), Name = answer.Text(), Type = answer.Int(), Attributes = answer.Int() };
        return fields[type] = known;
    }

    public Property[] PropertiesOf(int type)
    {
        Property[] known;
        if (properties.TryGetValue(type, out known)) return known;
        var answer = connection.Ask(CommandSet.Type, 9, Id(type));
        known = new Property[answer.Count(20)];
        for (var i = 0; i < known.Length; i++)
        {
            answer.Int();
            known[i] = new Property { Name = answer.Text(), Getter = answer.Int() };
            answer.Ints(2);
        }
        return properties[type] = known;
    }

    public int[] MethodsNamed(int type, string name)
    {
        const int instance = 0x4, anyAccess = 0x10 | 0x20;
        var answer = connection.Ask(CommandSet.Type, 15, Id(type).Text(name).Int(instance | anyAccess));
        return answer.Ints(answer.Count(4));
    }

    /// <summary>Of a thread's own as well, where it is named: 0 names none.</summary>
    public Value[] StaticValues(int type, IEnumerable<Field> of, int thread)
    {
        var all = of.ToArray();
        var question = thread == 0 ? Id(type) : Id(type).Int(thread);
        question.Int(all.Length).Ints(all.Select(field => field.Id));
        return connection.Ask(CommandSet.Type, thread == 0 ? 4 : 14, question).Values(all.Length);
    }

    public void SetStatic(int type, Field field, Value value)
    {
        connection.Ask(CommandSet.Type, 7, Id(type).Int(1).Int(field.Id).Value(value));
    }

    public int TypeOf(int obj) { return connection.Ask(CommandSet.Object, 1, Id(obj)).Int(); }

    public Value[] FieldValues(int obj, IEnumerable<Field> of)
    {
        var all = of.ToArray();
        return connection.Ask(CommandSet.Object, 2, Id(obj).Int(all.Length).Ints(all.Select(field => field.Id))).Values(all.Length);
    }

    public void SetField(int obj, Field field, Value value)
    {
        connection.Ask(CommandSet.Object, 6, Id(obj).Int(1).Int(field.Id).Value(value));
    }

    /// <summary>Lengths by dimension.</summary>
    public int[] Lengths(int array)
    {
        var answer = connection.Ask(CommandSet.Array, 1, Id(array));
        var lengths = new int[answer.Count(8)];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = answer.Int();
            answer.Int();
        }
        return lengths;
    }

    public Value[] Elements(int array, int from, int count)
    {
        return connection.Ask(CommandSet.Array, 2, Id(array).Int(from).Int(count)).Values(count);
    }

    public void SetElement(int array, int index, Value value) { connection.Ask(CommandSet.Array, 3, Id(array).Int(index).Int(1).Value(value)); }

    public long TextLength(int text) { return connection.Ask(CommandSet.String, 2, Id(text)).Long(); }

    public string Text(int text, int most)
    {
        var count = (int)Math.Min(TextLength(text), most);
        return count <= 0 ? "" : connection.Ask(CommandSet.String, 3, Id(text).Long(0).Long(count)).Units(count);
    }

    public int NewText(string text)
    {
        if (domain == 0) domain = connection.Ask(CommandSet.AppDomain, 1).Int();
        return connection.Ask(CommandSet.AppDomain, 5, Id(domain).Text(text)).Int();
    }

    /// <summary>Runs a method of the program without arguments, for a while. <exception cref="Refused"/></summary>
    public Value Invoke(int thread, int method, Value self)
    {
        Invokes = true;
        try
        {
            var question = Id(thread).Int(DisableBreakpoints | SingleThreaded | Virtual).Int(method).Value(self ?? Value.Null).Int(0);
            var number = connection.Send(CommandSet.Vm, 7, question);
            var answer = connection.TryWait(number, InvokeMs);
            if (answer == null)
            {
                connection.Ask(CommandSet.Vm, 9, Id(thread).Int(number));
                answer = connection.TryWait(number, InvokeMs);
            }
            if (answer == null)
            {
                connection.Forget(number);
                throw new Refused("It does not end");
            }
            var succeeded = answer.Byte() != 0;
            var value = answer.Value();
            if (succeeded) return value;
            throw new Refused("It threw " + Facts(TypeOf(value.Id)).FullName);
        }
        finally
        {
            Invokes = false;
        }
    }

    static PacketWriter Id(int id) { return new PacketWriter().Int(id); }
}
