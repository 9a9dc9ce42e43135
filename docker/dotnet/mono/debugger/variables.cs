using System;
using System.Collections.Generic;
using System.Linq;

/// <summary>A value that has a name, and how it is given another; null where it can't be.</summary>
sealed class Slot
{
    public string Name;
    public Value Value;
    public Action<Value> Set;
    /// <summary>Shown in place of a value that is not read.</summary>
    public string Instead;
}

/// <summary>What a stopped program's variables hold, by numbers that are good until it goes on.</summary>
sealed class Variables
{
    /// <summary>Of what is not read piece by piece, and of one piece.</summary>
    const int MostShown = 1000;
    /// <summary>Fewer elements come with what else there is.</summary>
    const int PagedFrom = 100;
    /// <summary>Containers of one stop: a client that goes on unfolding is told to stop.</summary>
    const int MostContainers = 100000;

    readonly Runtime runtime;
    readonly Shown shown;
    readonly List<Container> containers = new List<Container>();

    public Variables(Runtime runtime, Shown shown)
    {
        this.runtime = runtime;
        this.shown = shown;
    }

    public void Forget() { containers.Clear(); }

    public List<Fields> Scopes(Frame frame)
    {
        var type = runtime.DeclaringType(frame.Method);
        var scopes = new List<Fields>
        {
            new Fields
            {
                { "name", "Locals" }, { "presentationHint", "locals" }, { "expensive", false },
                { "variablesReference", Keep(new Container { List = () => Locals(frame) }) },
            },
        };
        if (runtime.FieldsOf(type).Any(field => field.IsStatic))
            scopes.Add(new Fields
            {
                { "name", "Static" }, { "expensive", false },
                { "variablesReference", Keep(new Container { List = () => Statics(type, frame.Thread) }) },
            });
        return scopes;
    }

    public List<Slot> Locals(Frame frame)
    {
        var alive = runtime.Locals(frame.Method).Where(local => local.From <= frame.Offset && frame.Offset <= local.To && !local.Name.StartsWith("CS$", StringComparison.Ordinal)).ToArray();
        var slots = new List<Slot>();
        if (!runtime.IsStatic(frame.Method)) slots.Add(new Slot { Name = "this", Value = runtime.This(frame) });
        foreach (var local in alive)
        {
            var position = local.Position;
            var slot = new Slot { Name = local.Name, Set = value => runtime.SetFrameValue(frame, position, value) };
            try
            {
                slot.Value = runtime.FrameValues(frame, new[] { position })[0];
            }
            catch (RuntimeError error)
            {
                slot.Instead = "(" + error.Message + ")";
                slot.Set = null;
            }
            slots.Add(slot);
        }
        return slots;
    }

    public List<Slot> Statics(int type, int thread)
    {
        var all = runtime.FieldsOf(type).Where(field => field.IsStatic).Take(MostShown).ToArray();
        var values = runtime.StaticValues(type, all, thread);
        return all.Select((field, i) => new Slot
        {
            Name = NameOf(field), Value = values[i], Set = value => runtime.SetStatic(type, field, value),
        }).ToList();
    }

    /// <summary>Fields, those of its bases included; properties that are more than a field are named only.</summary>
    public List<Slot> Members(Value value)
    {
        var slots = new List<Slot>();
        var names = new HashSet<string>();
        var type = value.Kind == Kind.ValueType ? value.Type : runtime.TypeOf(value.Id);
        for (var depth = 0; type != 0 && depth < 100; depth++, type = runtime.Facts(type).Base)
        {
            var own = runtime.FieldsOf(type).Where(field => !field.IsStatic).ToArray();
            var values = value.Kind == Kind.ValueType ? value.Fields : own.Length > 0 ? runtime.FieldValues(value.Id, own) : new Value[0];
            for (var i = 0; i < own.Length && i < values.Length; i++)
            {
                var field = own[i];
                if (!names.Add(NameOf(field))) continue;
                slots.Add(new Slot
                {
                    Name = NameOf(field), Value = values[i],
                    Set = value.Kind == Kind.ValueType ? (Action<Value>)null : set => runtime.SetField(value.Id, field, set),
                });
            }
            var facts = runtime.Facts(type);
            if (value.Kind == Kind.ValueType) break;
            if (facts.Namespace == "System" || facts.Namespace.StartsWith("System.", StringComparison.Ordinal)) continue;
            foreach (var property in runtime.PropertiesOf(type))
                if (property.Getter != 0 && names.Add(property.Name)) slots.Add(new Slot { Name = property.Name, Instead = "(getter)" });
        }
        return slots;
    }

    /// <summary>How a value is shown, and by which number what it holds.</summary>
    public Fields Of(Slot slot, string valueField = "value")
    {
        if (slot.Value == null) return new Fields { { valueField, slot.Instead ?? "" }, { "variablesReference", 0 } };
        var value = slot.Value;
        var told = new Fields { { valueField, shown.Of(value) }, { "type", shown.TypeOf(value) } };
        var container = Holding(value);
        if (container != null && container.Count >= PagedFrom)
        {
            told["indexedVariables"] = container.Count;
            told["namedVariables"] = 0;
        }
        told["variablesReference"] = container == null ? 0 : Keep(container);
        var list = ListOf(value);
        if (list != null) told[valueField] = told[valueField] + " Count = " + list.Count;
        return told;
    }

    public List<Fields> List(int reference, string filter, int start, int count)
    {
        var container = Get(reference);
        var most = Math.Min(count > 0 ? count : MostShown, MostShown);
        start = Math.Max(start, 0);
        IEnumerable<Slot> slots;
        if (container.Elements == null) slots = container.List().Skip(start).Take(most);
        else if (filter == "named") slots = new Slot[0];
        else slots = container.Elements(start, Math.Min(most, Math.Max(container.Count - start, 0)));
        return slots.Select(slot =>
        {
            var told = Of(slot);
            told["name"] = slot.Name;
            return told;
        }).ToList();
    }

    /// <summary>What is to be set there. <exception cref="Refused"/></summary>
    public Slot Find(int reference, string name)
    {
        var container = Get(reference);
        Slot slot;
        int index;
        if (container.Elements != null && int.TryParse(name.Trim('[', ']'), out index) && index >= 0 && index < container.Count)
            slot = container.Elements(index, 1).FirstOrDefault();
        else slot = container.List().FirstOrDefault(each => each.Name == name);
        if (slot == null) throw new Refused("There is no " + name);
        if (slot.Set == null) throw new Refused(name + " can't be set");
        return slot;
    }

    /// <summary>Elements of an array or a list, or those of a struct or an object; null where there is nothing in it.</summary>
    Container Holding(Value value)
    {
        if (value.IsArray)
        {
            var lengths = runtime.Lengths(value.Id);
            var count = lengths.Aggregate(1L, (all, length) => all * length);
            return new Container { Count = (int)Math.Min(count, int.MaxValue), Elements = (from, most) => ArrayElements(value.Id, lengths, from, most) };
        }
        var list = ListOf(value);
        if (list != null) return list;
        if (value.Kind == Kind.ValueType && !value.IsEnum || value.IsObject && !value.IsText) return new Container { List = () => Members(value) };
        return null;
    }

    List<Slot> ArrayElements(int array, int[] lengths, int from, int count)
    {
        if (count <= 0) return new List<Slot>();
        return runtime.Elements(array, from, count).Select((value, i) =>
        {
            var index = from + i;
            return new Slot { Name = "[" + Index(lengths, index) + "]", Value = value, Set = set => runtime.SetElement(array, index, set) };
        }).ToList();
    }

    static string Index(int[] lengths, int index)
    {
        var parts = new string[lengths.Length];
        for (var i = lengths.Length - 1; i >= 0; i--)
        {
            parts[i] = (index % lengths[i]).ToString();
            index /= lengths[i];
        }
        return string.Join(", ", parts);
    }

    /// <summary>A List, by the array that is its own; null for what is none.</summary>
    Container ListOf(Value value)
    {
        if (!value.IsObject || value.IsText || value.IsArray) return null;
        var facts = runtime.Facts(runtime.TypeOf(value.Id));
        if (facts.Namespace != "System.Collections.Generic" || facts.Name != "List`1") return null;
        var fields = runtime.FieldsOf(facts.Id);
        var items = fields.FirstOrDefault(field => field.Name == "_items");
        var size = fields.FirstOrDefault(field => field.Name == "_size");
        if (items == null || size == null) return null;
        var values = runtime.FieldValues(value.Id, new[] { items, size });
        if (!values[0].IsArray || !(values[1].Plain is int)) return null;
        return new Container
        {
            Count = Math.Min((int)values[1].Plain, runtime.Lengths(values[0].Id)[0]),
            Elements = (from, count) => ArrayElements(values[0].Id, new[] { int.MaxValue }, from, count),
        };
    }

    /// <summary>What the compiler made for a property is known by its name.</summary>
    public static string NameOf(Field field)
    {
        const string made = ">k__BackingField";
        return field.Name.StartsWith("<", StringComparison.Ordinal) && field.Name.EndsWith(made, StringComparison.Ordinal)
            ? field.Name.Substring(1, field.Name.Length - made.Length - 1)
            : field.Name;
    }

    /// <summary>By its index. <exception cref="Refused"/></summary>
    public Slot Element(Value of, long index)
    {
        var container = Holding(of);
        if (container == null || container.Elements == null) throw new Refused("Only arrays and lists are indexed here");
        if (index < 0 || index >= container.Count) throw new Refused("It has " + container.Count + " elements");
        return container.Elements((int)index, 1)[0];
    }

    /// <summary>Of a list, how many; null for all else.</summary>
    public int? CountOf(Value value)
    {
        var list = ListOf(value);
        return list == null ? (int?)null : list.Count;
    }

    int Keep(Container container)
    {
        if (containers.Count >= MostContainers) throw new Refused("Too much of it has been unfolded: go on, or stop anew");
        containers.Add(container);
        return containers.Count;
    }

    Container Get(int reference)
    {
        if (reference < 1 || reference > containers.Count) throw new Refused("The program has gone on since");
        return containers[reference - 1];
    }

    sealed class Container
    {
        public Func<List<Slot>> List = () => new List<Slot>();
        /// <summary>Null where all is read at once.</summary>
        public Func<int, int, List<Slot>> Elements;
        public int Count;
    }
}
