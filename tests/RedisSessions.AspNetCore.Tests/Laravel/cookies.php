<?php
// Laravel's own EncryptCookies middleware, from Debian's php-illuminate-cookie and php-illuminate-encryption.
// One JSON object a line on standard input: {"do": "write" or "read", "cipher", "key", "serialize", "name", "value"}; one JSON string or null a line on standard output.
// "write" answers the value as it stands in Set-Cookie, "read" what the application finds in a request with such a cookie.
require 'Illuminate/Cookie/autoload.php';
require 'Illuminate/Encryption/autoload.php';

use Illuminate\Cookie\Middleware\EncryptCookies;
use Illuminate\Encryption\Encrypter;
use Symfony\Component\HttpFoundation\Cookie;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;

class Plain extends EncryptCookies
{
    protected static $serialize = false;
}

class Serializing extends EncryptCookies
{
    protected static $serialize = true;
}

while (($line = fgets(STDIN)) !== false) {
    $order = json_decode($line, true, 8, JSON_THROW_ON_ERROR);
    $encrypter = new Encrypter(base64_decode(substr($order['key'], strlen('base64:'))), $order['cipher']);
    $middleware = $order['serialize'] ? new Serializing($encrypter) : new Plain($encrypter);
    $request = new Request();
    if ($order['do'] === 'read') {
        $request->cookies->set($order['name'], rawurldecode($order['value']));
    }

    $found = null;
    $response = $middleware->handle($request, function ($request) use ($order, &$found) {
        $found = $request->cookies->get($order['name']);
        $response = new Response();
        if ($order['do'] === 'write') {
            $response->headers->setCookie(Cookie::create($order['name'], $order['value']));
        }

        return $response;
    });
    if ($order['do'] === 'write') {
        preg_match('/^[^=]+=([^;]*)/', (string) $response->headers->getCookies()[0], $match);
        $found = $match[1];
    }

    echo json_encode($found, JSON_UNESCAPED_SLASHES), "\n";
}
