# Writes one file per case into the folder that is its argument.
defmodule Shop.OutOfStock do
  defexception message: "sold out"
end

defmodule Shop.Cart do
  def add(n) when is_integer(n) and n < 0 do
    raise ArgumentError, "quantity must be positive\n    lib/cart.ex: not a frame\ngot: #{n}"
  end

  def add(n) when is_integer(n), do: n
  def fill(ns), do: Enum.map(ns, fn n -> {:ok, add(n)} end)
  def double(x), do: {:ok, x * :two}
  def load(ns), do: {:ok, Task.async(fn -> fill(ns) end) |> Task.await()}
end

defmodule Shop.Cases do
  @out hd(System.argv())

  def write(name, type, message, text) do
    File.write!("#{@out}/#{name}.txt", text)
    File.write!("#{@out}/#{name}.given.json", "{\"type\": #{inspect(type)}, \"message\": #{inspect(message, limit: :infinity, printable_limit: :infinity)}}\n")
  end

  def run(name, f) do
    try do
      f.()
    rescue
      e ->
        type = inspect(e.__struct__)
        message = Exception.message(e)
        write(name, type, message, Exception.format(:error, e, __STACKTRACE__))
        write(name <> "_stacktrace", type, message, Exception.format_stacktrace(__STACKTRACE__))
        {blamed, stack} = Exception.blame(:error, e, __STACKTRACE__)
        write(name <> "_blamed", type, message, Exception.format(:error, blamed, stack))
        write("erlang_" <> name, type, message, IO.iodata_to_binary(:io_lib.format("~p", [__STACKTRACE__])))
        write("erlang_" <> name <> "_limited", type, message, IO.iodata_to_binary(:io_lib.format("~0tP", [__STACKTRACE__, 10], chars_limit: 50)))
    catch
      kind, reason -> write(name, to_string(kind), "", Exception.format(kind, reason, __STACKTRACE__))
    end
  end
end

Logger.configure(level: :none)
Process.flag(:trap_exit, true)
Shop.Cases.run("multiline_message", fn -> {:ok, Shop.Cart.fill([1, -1])} end)
Shop.Cases.run("function_clause", fn -> Shop.Cart.add("x") end)
Shop.Cases.run("arithmetic", fn -> Shop.Cart.double(2) end)
Shop.Cases.run("undefined", fn -> apply(Shop.Nowhere, :add, [1]) end)
Shop.Cases.run("erlang_call", fn -> :lists.map(1, 2) end)
Shop.Cases.run("throw", fn -> throw(:ball) end)
Shop.Cases.run("exit", fn -> exit({:shutdown, :closing}) end)
Shop.Cases.run("task", fn -> Shop.Cart.load([-1]) end)
Shop.Cases.run("no_process", fn -> GenServer.call(:nowhere, :hello) end)
