<?php
// The old half of the site: one front controller, as most PHP applications have it. nginx sends it what has not moved to .NET yet.
declare(strict_types=1);

require __DIR__ . '/session.php';
require __DIR__ . '/page.php';

const USERS = [1 => 'Mira', 2 => 'Noor', 3 => 'Sam'];

$route = $_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($route === 'GET /session.json') {
    // What PHP sees, for the .NET page that shows both.
    $session = new Session(starts: false);
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo json_encode(['id' => $session->fingerprint(), 'values' => (object) ($_SESSION ?? [])], JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
    return;
}

$session = new Session();
if ($_SERVER['REQUEST_METHOD'] === 'POST' && !hash_equals($session->token(), (string) ($_POST['_token'] ?? ''))) {
    $session->set('message', 'That form belonged to a session that has ended. Nothing was done; please try again.');
    $route = 'POST back';
}

switch ($route) {
    case 'GET /':
        echo page($session);
        return;

    case 'POST /login':
        $id = (int) ($_POST['user'] ?? 0);
        if (isset(USERS[$id])) {
            $session->set('account', ['current_user_id' => $id, 'name' => USERS[$id], 'logged_in_by' => 'PHP']);
            $session->set('site.csrf', bin2hex(random_bytes(16)));
            $session->set('message', 'Welcome, ' . USERS[$id] . '. PHP logged you in, and .NET knows you.');
            $session->regenerate();
        }
        break;

    case 'POST /logout':
        $session->destroy();
        break;

    case 'POST /count':
        $session->set('visits.php', (int) $session->get('visits.php', 0) + 1);
        break;

    case 'POST /motto':
        $session->set('profile.motto', (string) preg_replace('/^(.{0,80}).*$/us', '$1', trim((string) ($_POST['motto'] ?? ''))));
        break;

    case 'POST back':
        break;

    default:
        http_response_code(404);
        echo page($session, 'There is no such page.');
        return;
}

// Every form answers with a redirect, so that a reload repeats nothing.
header('Location: /', true, 303);
