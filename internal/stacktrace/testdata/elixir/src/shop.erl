%% What the Erlang shell prints of an exception.
-module(shop).
-export([main/1]).

add(N) when N < 0 -> error({badarg, "quantity must be positive"});
add(N) -> N.

fill(Ns) -> [add(N) || N <- Ns].

main([Out]) ->
    try {ok, fill([1, -1])}
    catch Class:Reason:Stack ->
        Text = erl_error:format_exception(1, Class, Reason, Stack, fun(_, _, _) -> false end, fun(T, _) -> io_lib:format("~tp", [T]) end),
        ok = file:write_file(Out ++ "/erlang_shell.txt", ["** ", Text])
    end.
