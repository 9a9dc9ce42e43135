using System;
using System.Linq;

/// <summary>What names mean in a frame of the stopped program. `mayRun`: code of the program may be run for it, getters of properties.</summary>
sealed class Scope
{
    public readonly Shown Shown;
    readonly Runtime runtime;
    readonly Variables variables;
    readonly Frame frame;
    readonly int assembly;
    readonly bool mayRun;

    public Scope(Runtime runtime, Variables variables, Shown shown, Frame frame, int assembly, bool mayRun)
    {
        this.runtime = runtime;
        this.variables = variables;
        Shown = shown;
        this.frame = frame;
        this.assembly = assembly;
        this.mayRun = mayRun;
    }

    /// <summary>A local, a member of `this`, a static one of its type, a type of the program. <exception cref="Refused"/></summary>
    public Value Named(string name)
    {
        var locals = variables.Locals(frame);
        var slot = locals.LastOrDefault(each => each.Name == name);
        if (slot != null) return slot.Value ?? throw new Refused(name + ": " + slot.Instead);
        var self = locals.FirstOrDefault(each => each.Name == "this");
        if (self != null && self.Value.Kind != Kind.Null)
        {
            var member = TryMember(self.Value, name) ?? Hoisted(self.Value, name);
            if (member != null) return member;
        }
        var found = TryStatic(runtime.DeclaringType(frame.Method), name);
        if (found != null) return found;
        var type = runtime.TypeNamed(assembly, name);
        if (type == 0) throw new Refused("The name '" + name + "' does not exist here");
        return new Value { Kind = Kind.TypeId, Id = type };
    }

    /// <exception cref="Refused"/>
    public Value Member(Value of, string name)
    {
        if (of.Kind == Kind.Null) throw new Refused("It is null, and has no " + name);
        var member = of.Kind == Kind.TypeId ? TryStatic(of.Id, name) : TryMember(of, name);
        return member ?? throw new Refused("It has no " + name);
    }

    /// <exception cref="Refused"/>
    public Value Element(Value of, Value index)
    {
        if (of.IsText)
        {
            var text = Shown.TextOf(of);
            var at = (int)Arithmetic.Converted(index.Plain, Kind.I4);
            if (at < 0 || at >= text.Length) throw new Refused("There is no character " + at);
            return Value.Of(text[at]);
        }
        return variables.Element(of, (long)Arithmetic.Converted(index.Plain, Kind.I8)).Value;
    }

    /// <summary>What ToString() says, of the program's own where it has one. <exception cref="Refused"/></summary>
    public Value Printed(Value of)
    {
        if (of.Kind == Kind.Null) throw new Refused("It is null");
        if (of.IsText || of.Plain != null || of.IsEnum) return Value.Of(Shown.Printed(of));
        var methods = runtime.MethodsNamed(TypeOf(of), "ToString");
        foreach (var method in methods)
            if (runtime.Locals(method).All(local => local.Position >= 0)) return Run(method, of);
        throw new Refused("It has no ToString()");
    }

    Value TryMember(Value of, string name)
    {
        if (name == "Length" && of.IsText) return Value.Of(of.Plain is string ? ((string)of.Plain).Length : (int)runtime.TextLength(of.Id));
        if (name == "Length" && of.IsArray) return Value.Of(runtime.Lengths(of.Id).Aggregate(1, (all, length) => all * length));
        if (name == "Count" && variables.CountOf(of) != null) return Value.Of(variables.CountOf(of).Value);
        if (of.Plain != null) return null;
        var slot = of.IsObject || of.Kind == Kind.ValueType ? variables.Members(of).FirstOrDefault(each => each.Name == name && each.Value != null) : null;
        return slot != null ? slot.Value : Got(TypeOf(of), name, of);
    }

    Value TryStatic(int type, string name)
    {
        for (var depth = 0; type != 0 && depth < 100; depth++, type = runtime.Facts(type).Base)
        {
            var slot = variables.Statics(type, frame.Thread).FirstOrDefault(each => each.Name == name);
            if (slot != null) return slot.Value;
        }
        return null;
    }

    /// <summary>What the compiler has made of a property; null where there is none of that name.</summary>
    Value Got(int type, string name, Value self)
    {
        for (var depth = 0; type != 0 && depth < 100; depth++, type = runtime.Facts(type).Base)
        {
            var property = runtime.PropertiesOf(type).FirstOrDefault(each => each.Name == name && each.Getter != 0);
            if (property != null) return Run(property.Getter, self);
        }
        return null;
    }

    /// <summary>A local of an asynchronous method or an iterator, which the compiler has made a field.</summary>
    Value Hoisted(Value self, string name)
    {
        if (!self.IsObject && self.Kind != Kind.ValueType) return null;
        var slot = variables.Members(self).LastOrDefault(each => each.Name.StartsWith("<" + name + ">", StringComparison.Ordinal));
        return slot == null ? null : slot.Value;
    }

    Value Run(int method, Value self)
    {
        if (!mayRun) throw new Refused("It would run code of the program");
        return runtime.Invoke(frame.Thread, method, runtime.IsStatic(method) ? null : self);
    }

    int TypeOf(Value value) { return value.Kind == Kind.ValueType ? value.Type : runtime.TypeOf(value.Id); }
}
