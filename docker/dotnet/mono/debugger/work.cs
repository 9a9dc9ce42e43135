using System;
using System.Collections.Generic;
using System.Threading;

/// <summary>What is done one after the other, on one thread; whoever brings more than is done meanwhile waits.</summary>
sealed class Work
{
    const int Most = 1000;
    readonly Queue<Action> queue = new Queue<Action>();
    bool closed;

    /// <summary>`waits`: not for what is brought by what is done, which would wait for itself.</summary>
    public void Add(Action action, bool waits = true)
    {
        lock (queue)
        {
            while (waits && queue.Count >= Most && !closed) Monitor.Wait(queue);
            queue.Enqueue(action);
            Monitor.PulseAll(queue);
        }
    }

    public void Close()
    {
        lock (queue)
        {
            closed = true;
            Monitor.PulseAll(queue);
        }
    }

    /// <summary>Until it is closed.</summary>
    public void Do()
    {
        for (;;)
        {
            Action action;
            lock (queue)
            {
                while (queue.Count == 0 && !closed) Monitor.Wait(queue);
                if (closed) return;
                action = queue.Dequeue();
                Monitor.PulseAll(queue);
            }
            action();
        }
    }
}
