using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;

/// <summary>Makes a program with symbols of what is to be debugged, by the image's own compiler.</summary>
static class Compilation
{
    /// <summary>Of the compiler's words, characters.</summary>
    const int MostWords = 64 * 1024;

    /// <summary>
    /// Of a file of C#, of a directory or a project all files below it; what is compiled already is taken as it is. Waits; `onOutput` is told
    /// what the compiler says. Null: it does not compile. <exception cref="Refused"/>
    /// </summary>
    public static string Of(string program, Action<string, string> onOutput)
    {
        if (program.EndsWith(".exe", StringComparison.Ordinal) || program.EndsWith(".dll", StringComparison.Ordinal))
        {
            if (!File.Exists(program)) throw new Refused("There is no " + program);
            return program;
        }
        var sources = Sources(program);
        var place = Path.Combine(Path.GetTempPath(), "codebeaker-debug-" + Guid.NewGuid().ToString("n").Substring(0, 8));
        Directory.CreateDirectory(place);
        var output = Path.Combine(place, "program.exe");
        var left = MostWords;
        var done = new ManualResetEvent(false);
        var code = -1;
        var command = new List<string> { "compile-csharp", "--debug", output };
        command.AddRange(sources);
        new Program(command, "/", Fields.Of(null), (category, text) =>
        {
            if (left > 0) onOutput("stderr", text.Substring(0, Math.Min(text.Length, left)));
            left -= text.Length;
        }, ended =>
        {
            code = ended;
            done.Set();
        });
        done.WaitOne();
        return code == 0 ? output : null;
    }

    static string[] Sources(string program)
    {
        if (File.Exists(program) && !program.EndsWith(".csproj", StringComparison.Ordinal)) return new[] { program };
        var directory = Directory.Exists(program) ? program : Path.GetDirectoryName(program);
        if (!Directory.Exists(program) && !File.Exists(program)) throw new Refused("There is no " + program);
        var all = Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories).Take(1000)
            .Where(file => !file.Contains("/bin/") && !file.Contains("/obj/")).OrderBy(file => file, StringComparer.Ordinal).ToArray();
        if (all.Length == 0) throw new Refused("There is no C# program in " + directory);
        return all;
    }
}
