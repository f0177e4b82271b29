<?php
declare(strict_types=1);

/** The session as UserFrosting offers it: an associative array, reached by dot notation. */
final class Session
{
    public function __construct(private readonly bool $starts = true)
    {
        // Somebody who only looks gets no cookie.
        if ($this->starts || isset($_COOKIE[session_name()])) {
            session_start();
        }
    }

    public function get(string $key, mixed $default = null): mixed
    {
        $value = $_SESSION ?? [];
        foreach (explode('.', $key) as $step) {
            if (!is_array($value) || !array_key_exists($step, $value)) {
                return $default;
            }
            $value = $value[$step];
        }

        return $value;
    }

    public function set(string $key, mixed $value): void
    {
        $place = &$_SESSION;
        foreach (explode('.', $key) as $step) {
            if (!is_array($place)) {
                $place = [];
            }
            $place = &$place[$step];
        }
        $place = $value;
    }

    /** Reads a key of the top level, and removes it. */
    public function pull(string $key): mixed
    {
        $value = $_SESSION[$key] ?? null;
        unset($_SESSION[$key]);

        return $value;
    }

    /** A new id; the old one is dead. At login, so that an id that somebody planted before is worth nothing after it. */
    public function regenerate(): void
    {
        session_regenerate_id(true);
    }

    public function destroy(): void
    {
        $cookie = session_get_cookie_params();
        unset($cookie['lifetime']);
        setcookie(session_name(), '', ['expires' => 1] + $cookie);
        $_SESSION = [];
        session_destroy();
    }

    /** The first characters of the id's hash: the id itself is the visitor's key and is shown to nobody. */
    public function fingerprint(): string
    {
        $id = (string) session_id();

        return $id === '' ? '' : substr(strtr(base64_encode(hash('sha256', $id, true)), '+/', '-_'), 0, 8);
    }

    /** Other sites must not send our forms: each form repeats this secret of the session. Both halves write it, and both check it. */
    public function token(): string
    {
        $token = $this->get('site.csrf');
        if (!is_string($token)) {
            $this->set('site.csrf', $token = bin2hex(random_bytes(16)));
        }

        return $token;
    }
}
