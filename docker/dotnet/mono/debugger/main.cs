using System;
using System.IO;
using System.Threading;

/// <summary>The adapter's process: the protocol on its standard streams.</summary>
static class Debugger
{
    static int Main()
    {
        var messages = new Messages(Console.OpenStandardInput(), Console.OpenStandardOutput());
        var work = new Work();
        var adapter = new Adapter(messages, work);
        var words = "";
        new Thread(() =>
        {
            try
            {
                for (Fields request; (request = messages.Read()) != null;)
                {
                    var each = request;
                    work.Add(() => adapter.Take(each));
                }
            }
            catch (Exception error) when (error is Malformed || error is IOException)
            {
                words = error.Message;
            }
            work.Close();
        }) { IsBackground = true }.Start();
        try
        {
            work.Do();
        }
        catch (IOException)
        {
            // Nobody reads what it says.
        }
        adapter.End();
        if (words != "") Console.Error.WriteLine(words);
        return words == "" ? 0 : 1;
    }
}
