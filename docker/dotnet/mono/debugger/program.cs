using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

/// <summary>A program that was started, with an empty standard input; what it prints is told in the order of each of its streams.</summary>
sealed class Program
{
    /// <summary>A process that it has left may hold its output open, milliseconds.</summary>
    const int LingerMs = 1000;
    const int Terminate = 15;

    readonly Process process;
    bool ended;

    /// <summary>`onOutput` and `onEnd` are called of threads of their own; the second once, after all output. <exception cref="Refused"/></summary>
    public Program(IList<string> command, string directory, Fields environment, Action<string, string> onOutput, Action<int> onEnd)
    {
        var info = new ProcessStartInfo
        {
            FileName = command[0], Arguments = string.Join(" ", command.Skip(1).Select(Quoted)), WorkingDirectory = directory, UseShellExecute = false,
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in environment.Keys) info.EnvironmentVariables[name] = environment.Text(name, "");
        try
        {
            process = Process.Start(info);
        }
        catch (Win32Exception)
        {
            throw new Refused(command[0] + " can't be started in " + directory);
        }
        process.StandardInput.Close();
        var streams = new[] { Read(process.StandardOutput.BaseStream, "stdout", onOutput), Read(process.StandardError.BaseStream, "stderr", onOutput) };
        new Thread(() =>
        {
            process.WaitForExit();
            var until = Environment.TickCount + LingerMs;
            foreach (var stream in streams) stream.Join(Math.Max(until - Environment.TickCount, 0));
            lock (process) ended = true;
            onEnd(process.ExitCode);
        }) { IsBackground = true }.Start();
    }

    public int Id { get { return process.Id; } }

    public void Kill() { Signal(9); }

    public void Stop() { Signal(Terminate); }

    void Signal(int signal)
    {
        lock (process)
            if (!ended) kill(process.Id, signal);
    }

    [DllImport("libc")]
    static extern int kill(int process, int signal);

    static Thread Read(Stream stream, string category, Action<string, string> onOutput)
    {
        var thread = new Thread(() =>
        {
            var bytes = new byte[32 * 1024];
            var units = new char[bytes.Length + 2];
            var decoder = new UTF8Encoding(false).GetDecoder();
            for (int read; (read = stream.Read(bytes, 0, bytes.Length)) > 0;)
            {
                var count = decoder.GetChars(bytes, 0, read, units, 0);
                if (count > 0) onOutput(category, new string(units, 0, count));
            }
        }) { IsBackground = true };
        thread.Start();
        return thread;
    }

    /// <summary>As the library reads arguments: within double quotes a backslash keeps what follows it.</summary>
    static string Quoted(string argument) { return "\"" + argument.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\""; }
}
