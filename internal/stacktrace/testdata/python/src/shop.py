"""Writes one file per case into the folder that is its argument."""

import asyncio
import concurrent.futures
import importlib
import json
import pathlib
import sys
import traceback

out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(".")
suffix = sys.argv[2] if len(sys.argv) > 2 else ""


class OutOfStock(Exception):
    pass


class Cart:
    class Line:
        def __init__(self, quantity):
            if quantity < 0:
                raise ValueError(f"quantity must be positive\n\n  File \"x\", line 1, in y\ngot: {quantity}")

    def fill(self, quantities):
        return [self.Line(q) for q in quantities]


def write(name, function):
    try:
        function()
    except BaseException as e:  # as the OpenTelemetry SDK does it
        module = type(e).__module__
        qualname = type(e).__qualname__
        text = "".join(traceback.format_exception(type(e), e, e.__traceback__))
        given = {"type": f"{module}.{qualname}" if module and module != "builtins" else qualname, "message": str(e)}
        (out / f"{name}{suffix}.txt").write_text(text)
        (out / f"{name}{suffix}.given.json").write_text(json.dumps(given) + "\n")


def plain():
    Cart().fill([1, -1])


def cause():
    try:
        plain()
    except ValueError as e:
        raise OutOfStock("cart not filled") from e


def context():
    try:
        cause()
    except OutOfStock:
        {}["missing"]


def recursion(n=0):
    return recursion(n + 1)


def syntax_error():
    exec("total = = 2\n")


def frozen():
    importlib.import_module("shop_missing")


def library():
    json.loads('{"a": }')


def in_process(n):
    raise OutOfStock(f"worker {n}")


def remote():
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(in_process, 1).result()


def local_class():
    class Local(Exception):
        pass

    raise Local


def notes():
    e = OutOfStock("sold out")
    e.add_note("warehouse: RIX-1")
    e.add_note("second note\nof two lines")
    raise e


async def async_add(n):
    await asyncio.sleep(0)
    Cart.Line(n)


def run_async():
    asyncio.run(async_add(-1))


async def gather():
    async with asyncio.TaskGroup() as group:
        group.create_task(async_add(-1))
        group.create_task(async_add(-2))


def task_group():
    asyncio.run(gather())


def nested_group():
    errors = []
    for f in plain, context:
        try:
            f()
        except Exception as e:
            errors.append(e)
    try:
        raise ExceptionGroup("inner", [errors[1], KeyError("never raised")])
    except ExceptionGroup as inner:
        raise ExceptionGroup("outer\nof two lines", [errors[0], inner, OutOfStock("last")])


def group_in_chain():
    try:
        nested_group()
    except ExceptionGroup as e:
        raise OutOfStock("after the group") from e


def large_group():
    raise ExceptionGroup("many", [ValueError(n) for n in range(20)])


def multiline_expression():
    Cart().fill(
        [
            1,
            -1,
        ]
    )


if __name__ == "__main__":
    sys.setrecursionlimit(200)
    names = sys.argv[3].split(",") if len(sys.argv) > 3 else [
        "plain", "cause", "context", "recursion", "syntax_error", "frozen", "library", "remote", "local_class", "notes", "run_async",
        "task_group", "nested_group", "group_in_chain", "large_group",
    ]
    for name in names:
        write(name, globals()[name])
