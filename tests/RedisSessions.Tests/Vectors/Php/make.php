<?php
// Makes the sessions in this folder: php make.php. Each is what this PHP's own encoders write, with the version in its name, and beside it what is in it, in a notation of its own that
// says more than JSON can: N null, T and F, i an integer, d the eight bytes of a double, s the bytes of a string, l[…] a list, m{…} any other array, P what only PHP can read.
namespace App;

class User { public string $name = 'Ann'; protected $roles = ['admin']; private ?User $friend = null; function befriend(User $u) { $this->friend = $u; } }
enum Level: string { case Gold = 'gold'; }
class Custom { private array $data = [1, 'two']; function __serialize(): array { return $this->data; } function __unserialize(array $d): void { $this->data = $d; } }

function describe(mixed $value): string {
    return match (true) {
        $value === null => 'N',
        $value === true => 'T',
        $value === false => 'F',
        is_int($value) => "i$value",
        is_float($value) => 'd' . (is_nan($value) ? 'nan' : bin2hex(strrev(pack('d', $value)))),
        is_string($value) => 's' . bin2hex($value),
        is_array($value) && array_is_list($value) => 'l[' . implode(',', array_map(describe(...), $value)) . ']',
        is_array($value) => 'm{' . implode(',', array_map(fn($k, $v) => describe($k) . '=' . describe($v), array_keys($value), $value)) . '}',
        default => 'P',
    };
}

$deep = 'bottom';
for ($i = 0; $i < 62; $i++) $deep = $i % 2 ? [$deep] : ['k' => $deep];
$ann = new User; $bob = new User; $ann->befriend($bob); $bob->befriend($ann);
$shared = 5;

$sessions = [
    'empty' => [],
    'kinds' => ['null' => null, 'yes' => true, 'no' => false, 'zero' => 0, 'most' => PHP_INT_MAX, 'least' => PHP_INT_MIN, 'text' => 'Zoë 日本語 🦆', 'quotes' => "\";}|!\n\0", 'empty' => '',
        'bytes' => "\xff\xfe\x00\x80", 'long' => str_repeat('x', 300), 'list' => [], 'account' => ['current_user_id' => 42]],
    'doubles' => ['list' => [0.0, -0.0, 0.1, 1 / 3, 1e15, 1e16, 1e17, 1e18, 123456789012345678.0, 0.0001, 0.00001, 1e100, -1.5e-7, 5e-324, 1.7976931348623157e308, INF, -INF, 100.0, 1e22, 2.5e-5]],
    'nan' => ['nan' => NAN],
    'keys' => ['list' => [1, 2, 3], 'from one' => [1 => 'a', 2 => 'b'], 'backwards' => [1 => 'b', 0 => 'a'], 'hole' => [0 => 'a', 2 => 'c'], 'mixed' => ['a', 'x' => 'b', 'c'],
        'digits' => ['5' => 'int', '05' => 'text', '-5' => 'int', '-0' => 'text', '9223372036854775807' => 'int', '9223372036854775808' => 'text', '-9223372036854775808' => 'int', ' 5' => 'text', '1.5' => 'text'],
        'bytes' => ["\xff" => 1], 'none' => ['' => 1], 'dots.in.it' => 1, 'Ünï' => 1],
    'deep' => ['deep' => $deep],
    'laravel' => ['_token' => 'abc', '_previous' => ['url' => 'http://localhost'], '_flash' => ['old' => ['status'], 'new' => []], 'status' => 'Saved.'],
    'objects' => ['before' => [1, 2], 'user' => $ann, 'after' => 'text', 'again' => $ann, 'level' => Level::Gold, 'when' => new \DateTimeImmutable('2020-02-29 12:00:00 UTC'), 'custom' => new Custom,
        'list' => new \ArrayObject([1, [2]]), 'nested' => ['deep' => [new User]], 'count' => 7],
    'references' => ['first' => 1, 'one' => &$shared, 'other' => &$shared, 'inside' => [&$shared], 'last' => [1, 2]],
];

$version = PHP_VERSION;
array_map(unlink(...), glob(__DIR__ . '/php-*'));
ini_set('session.use_cookies', 0);
ini_set('session.cache_limiter', '');
ini_set('session.save_path', sys_get_temp_dir());
foreach ($sessions as $name => $values) {
    foreach (['php', 'php_serialize'] as $format) {
        ini_set('session.serialize_handler', $format);
        session_id(bin2hex(random_bytes(16)));
        session_start();
        foreach ($values as $key => &$value) $_SESSION[$key] = &$value;
        unset($value);
        // What is no reference in the values must be none here: PHP would write R: for each.
        if ($name != 'references') $_SESSION = array_map(fn($v) => $v, $values);
        file_put_contents(__DIR__ . "/php-$version-$name.$format", session_encode());
        session_destroy();
    }
    $shown = $values;
    if ($name == 'references') foreach (['one', 'other', 'inside'] as $key) { unset($shown[$key]); $shown[$key] = new User; }
    if ($name == 'objects') $shown['nested'] = new User;
    $lines = [];
    foreach ($values as $key => $_) $lines[] = describe($key) . '=' . describe($shown[$key]);
    file_put_contents(__DIR__ . "/php-$version-$name.txt", implode("\n", $lines) . ($lines ? "\n" : ''));
}

ini_set('serialize_precision', 17);
file_put_contents(__DIR__ . "/php-$version-precision17.php_serialize", serialize(['list' => [0.1, 1 / 3, 1e17]]));
file_put_contents(__DIR__ . "/php-$version-precision17.txt", 's' . bin2hex('list') . '=' . describe([0.1, 1 / 3, 1e17]) . "\n");
