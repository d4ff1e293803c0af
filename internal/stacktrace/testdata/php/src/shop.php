<?php
// Writes one file per case into the folder that is its argument.

namespace Acme\Shop;

class OutOfStock extends \RuntimeException {}

class Cart
{
    public function add(int $n): int
    {
        if ($n < 0) {
            throw new \InvalidArgumentException("quantity must be positive\n#0 not a frame\ngot: $n");
        }
        return $n;
    }

    public function fill(array $ns): array
    {
        return array_map(fn ($n) => $this->add($n), $ns);
    }

    public static function load(array $ns): array
    {
        try {
            return (new self())->fill($ns);
        } catch (\InvalidArgumentException $e) {
            throw new OutOfStock('cart not loaded', 0, $e);
        }
    }

    public function __call($name, $arguments)
    {
        throw new \BadMethodCallException("no method $name in " . self::class);
    }
}

function attempt(string $name, callable $f): void
{
    global $argv;
    try {
        $f();
    } catch (\Throwable $e) {
        $given = json_encode(['type' => get_class($e), 'message' => $e->getMessage()]) . "\n";
        file_put_contents("$argv[1]/$name.txt", (string) $e);
        file_put_contents("$argv[1]/$name.given.json", $given);
        if ($name === 'previous') {
            file_put_contents("$argv[1]/trace_as_string.txt", $e->getTraceAsString());
            file_put_contents("$argv[1]/trace_as_string.given.json", $given);
        }
    }
}

function recurse(int $n) { return $n === 0 ? throw new \LogicException('deep') : recurse($n - 1); }

attempt('multiline_message', fn () => (new Cart())->fill([1, -1]));
attempt('previous', fn () => Cart::load([1, -1]));
attempt('no_message', function () { throw new \Exception(); });
attempt('type_error', fn () => strlen([]));
attempt('magic_call', fn () => (new Cart())->discount('all (of it): yes', 10));
attempt('generator', function () { foreach ((function () { yield 1; throw new OutOfStock('in a generator'); })() as $x) { } });
attempt('anonymous_class', function () { (new class { public function run() { throw new OutOfStock('anonymous'); } })->run(); });
attempt('recursion', fn () => recurse(1200));
attempt('reflection', fn () => (new \ReflectionMethod(Cart::class, 'add'))->invoke(new Cart(), -1));
