// Writes one file per case into the folder that is its argument. Mono runs it.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;

namespace Acme.Shop
{
    public class OutOfStockException : Exception
    {
        public OutOfStockException(string message, Exception inner) : base(message, inner) { }
    }

    public class Cart<T>
    {
        public int Add(int n)
        {
            if (n < 0) throw new ArgumentOutOfRangeException("n", "must be positive\ngot: " + n);
            return n;
        }

        public List<int> Fill(IEnumerable<int> ns) { return ns.Select(n => Add(n)).ToList(); }

        public async Task<int> AddLater(int n)
        {
            await Task.Delay(1);
            return Add(n);
        }
    }

    public static class Program
    {
        static string folder;

        static void Write(string name, Action action)
        {
            try { action(); }
            catch (Exception e)
            {
                File.WriteAllText(Path.Combine(folder, "mono_" + name + ".txt"), e.ToString());
                File.WriteAllText(Path.Combine(folder, "mono_" + name + ".given.json"),
                    "{\"type\": \"" + e.GetType().FullName + "\", \"message\": \"" + e.Message.Replace("\n", "\\n").Replace("\"", "\\\"") + "\"}\n");
            }
        }

        public static void Main(string[] args)
        {
            folder = args[0];
            Write("lambda", () => new Cart<string>().Fill(new[] { 1, -1 }));
            Write("inner", () =>
            {
                try { new Cart<string>().Fill(new[] { 1, -1 }); }
                catch (ArgumentException e) { throw new OutOfStockException("cart not filled", e); }
            });
            Write("async", () => new Cart<int>().AddLater(-1).GetAwaiter().GetResult());
            Write("aggregate", () => Task.WaitAll(new Cart<int>().AddLater(-1), new Cart<int>().AddLater(-2)));
        }
    }
}
