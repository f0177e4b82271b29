<?php
declare(strict_types=1);

function e(mixed $text): string
{
    return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
}

function form(Session $session, string $action, string $content): string
{
    return '<form method="post" action="' . e($action) . '"><input type="hidden" name="_token" value="' . e($session->token()) . '">' . $content . '</form>';
}

function users(): string
{
    $options = '';
    foreach (USERS as $id => $name) {
        $options .= '<option value="' . $id . '">' . e($name) . '</option>';
    }

    return $options;
}

function page(Session $session, ?string $error = null): string
{
    $message = $error ?? $session->pull('message');
    $name = $session->get('account.name');
    $city = $session->get('profile.city');
    ob_start(); ?>
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>PHP bridge: home</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/site.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
  <div class="wide bar">
    <p class="brand">RedisSessions <span>PHP bridge</span></p>
    <nav aria-label="Pages"><a href="/" aria-current="page">Home</a> <a href="/net/profile">Profile</a> <a href="/net/session">Session</a></nav>
    <p>Answered by <strong class="badge php" id="half">PHP <?= e(PHP_VERSION) ?></strong></p>
  </div>
</header>
<main id="main" class="wide">
  <h1>Home</h1>
  <p class="lead">This page is PHP; Profile and Session have moved to .NET. Both use one session and one cookie.</p>
<?php if ($message !== null): ?>
  <p class="message" role="status" id="message"><?= e($message) ?></p>
<?php endif; ?>
  <div class="columns">
    <section class="panel" aria-labelledby="account-title">
      <h2 id="account-title">Account</h2>
<?php if ($name === null): ?>
      <p>Nobody is logged in.</p>
      <?= form($session, '/login', '<label for="user">Log in as</label><div class="row"><select id="user" name="user">' . users() . '</select><button>Log in with PHP</button></div>') ?>
      <p class="muted small">There are no passwords here. <a href="/net/profile">.NET can log you in too.</a></p>
<?php else: ?>
      <p>Logged in as <strong id="user"><?= e($name) ?></strong><?= is_string($city) && $city !== '' ? ' from <span id="city">' . e($city) . '</span>' : '' ?>, by <?= e($session->get('account.logged_in_by')) ?>.</p>
      <?= form($session, '/motto', '<label for="motto">Motto, kept by PHP</label><div class="row"><input id="motto" name="motto" maxlength="80" value="' . e($session->get('profile.motto', '')) . '"><button>Save</button></div>') ?>
      <?= form($session, '/logout', '<button class="quiet">Log out with PHP</button>') ?>
<?php endif; ?>
    </section>
    <section class="panel" aria-labelledby="visits-title">
      <h2 id="visits-title">Counters</h2>
      <dl>
        <dt>by PHP</dt><dd id="visits-php"><?= (int) $session->get('visits.php', 0) ?></dd>
        <dt>by .NET</dt><dd id="visits-net"><?= (int) $session->get('visits.net', 0) ?></dd>
        <dt>session</dt><dd><code id="fingerprint"><?= e($session->fingerprint()) ?></code></dd>
      </dl>
      <div class="row">
        <?= form($session, '/count', '<button>Count in PHP</button>') ?>
        <?= form($session, '/net/count', '<button>Count in .NET</button>') ?>
      </div>
    </section>
  </div>
</main>
<footer class="wide muted">No scripts, nothing loaded from elsewhere.</footer>
</body>
</html>
<?php
    return (string) ob_get_clean();
}
