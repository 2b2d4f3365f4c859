<?php
// How the PHP programs of the client matrix report: one line per check (see ../README.md).
declare(strict_types=1);

define('PORT', (int) getenv('MATRIX_PORT'));
define('DIRECTORY', getenv('MATRIX_DIR'));
// Whether every connection has to use TLS.
define('TLS', (bool) getenv('MATRIX_TLS'));
define('BLOB', str_repeat(implode('', array_map('chr', range(0, 255))), 20 * 1024 * 4));
const MIB = 1024 * 1024;
const CONNECTIONS = 50;
const WHO = 'SELECT CURRENT_USER(), DATABASE(), @@character_set_client';
const AFTER = "SELECT 'after'";
const STREAM = "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000";
const MULTI = 'SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3';
const MULTI_WITH_ERROR = 'SELECT 1; SELECT nosuch; SELECT 2';
const COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'matrix'
    AND table_name = 'types' ORDER BY ordinal_position";
const FAILING = ['SELECT nosuch', 'nonsense', 'SELECT * FROM nosuch', "SIGNAL SQLSTATE '45000'"];
// Longer texts are told by their digest.
const LONGEST_TEXT = 300;

function digest(mixed $value): string
{
    $text = str_replace(["\n", "\0"], ['\n', '\0'], var_export($value, true));
    $text = str_replace(DIRECTORY, 'DIR', $text);
    if (strlen($text) <= LONGEST_TEXT) {
        return $text;
    }
    return strlen($text) . ' characters, ' . substr(hash('sha256', $text), 0, 16);
}

function failure(Throwable $error): string
{
    return get_class($error) . ' ' . $error->getCode() . ' ' . $error->getMessage();
}

// Returns what a function returns, or how it fails.
function outcome(callable $function): mixed
{
    try {
        return $function();
    } catch (Throwable $error) {
        return failure($error);
    }
}

// Runs one check and prints its line.
function check(string $name, callable $function): void
{
    try {
        $line = 'ok ' . digest($function());
    } catch (Throwable $error) {
        $line = 'error ' . digest(failure($error));
    }
    echo "$name: $line\n";
}

// Logs in with each method, with the right and with a wrong password.
function logins(): void
{
    foreach (explode(' ', trim(getenv('MATRIX_LOGINS'))) as $account) {
        [$user, $port] = explode(':', $account);
        $become = fn (string $password) => fn () => rows(
            connect(['user' => $user, 'password' => $password, 'port' => (int) $port]), 'SELECT CURRENT_USER()'
        );
        check("login.$user", $become('secret'));
        check("login_refused.$user", $become('wrong'));
    }
}

// Returns queries whose packets are about as long as the longest packet.
function edge_queries(): array
{
    return array_map(
        fn ($more) => "SELECT LENGTH('" . str_repeat('x', 16 * MIB + $more - 18) . "')",
        [-2, -1, 0]
    );
}

// Returns queries whose rows are about as long as the longest packet; the length takes four bytes.
function edge_rows(): array
{
    return array_map(fn ($more) => "SELECT REPEAT('x', " . (16 * MIB + $more - 4) . ')', [-2, -1, 0]);
}
