<?php
// Checks of PHP's PDO, with emulated and with real prepared statements.
declare(strict_types=1);

require __DIR__ . '/report.php';

const USE_TLS = [PDO::MYSQL_ATTR_SSL_CA => '/nonexistent', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false];

function connect(array $changes = [], array $options = []): PDO
{
    $settings = $changes + ['user' => 'u', 'password' => 'secret', 'database' => 'matrix', 'port' => PORT];
    $source = "mysql:host=127.0.0.1;charset=utf8mb4;port=$settings[port];dbname=$settings[database]";
    return new PDO($source, $settings['user'], $settings['password'], $options + (TLS ? USE_TLS : []) + [
        PDO::MYSQL_ATTR_LOCAL_INFILE => true,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
    ]);
}

function real(): PDO
{
    return connect([], [PDO::ATTR_EMULATE_PREPARES => false]);
}

function rows(PDO $connection, string $sql, array $values = []): array
{
    $statement = $connection->prepare($sql);
    $statement->execute($values);
    return $statement->columnCount() ? $statement->fetchAll() : [$statement->rowCount()];
}

function all_results(PDO $connection, string $sql): array
{
    $results = [];
    $ended = outcome(function () use ($connection, $sql, &$results) {
        $statement = $connection->query($sql);
        do {
            $results[] = $statement->columnCount() ? $statement->fetchAll() : $statement->rowCount();
        } while ($statement->nextRowset());
        return 'all';
    });
    return [$results, $ended, rows($connection, AFTER)];
}

function columns(string $kind, PDO $connection): void
{
    foreach (array_column(rows($connection, COLUMNS), 0) as $name) {
        check("types_$kind.$name", function () use ($connection, $name) {
            $statement = $connection->prepare("SELECT $name FROM types ORDER BY id");
            $statement->execute();
            return [$statement->getColumnMeta(0), $statement->fetchAll()];
        });
    }
}

function load(string $file): array
{
    $connection = connect();
    $connection->exec('CREATE TEMPORARY TABLE loaded (a INT, b TEXT)');
    $sql = "LOAD DATA LOCAL INFILE '" . DIRECTORY . "/$file' INTO TABLE loaded";
    $answer = outcome(fn () => @$connection->exec($sql));
    return [$answer, outcome(fn () => rows($connection, 'SELECT COUNT(*), SUM(a), MAX(b) FROM loaded'))];
}

function stream(bool $abandon): array
{
    $connection = connect([], [PDO::MYSQL_ATTR_USE_BUFFERED_QUERY => false]);
    $statement = $connection->query(STREAM);
    $count = $total = 0;
    while ($row = $statement->fetch()) {
        $count += 1;
        $total += (int) $row[0] + strlen($row[1]);
        if ($abandon) {
            break;
        }
    }
    $statement->closeCursor();
    return [$count, $total, rows($connection, AFTER)];
}

check('connect', fn () => rows(connect(), WHO));
check('no_database', fn () => rows(connect(['database' => '']), WHO));
check('wrong_password', fn () => connect(['password' => 'wrong']));
check('unknown_database', fn () => connect(['database' => 'nosuch']));
logins();
check('server_version', fn () => connect()->getAttribute(PDO::ATTR_SERVER_VERSION));
columns('text', connect());
columns('prepared', real());
check('null', fn () => rows(real(), "SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL"));
check('utf8mb4', fn () => rows(connect(), "SELECT ?, 'žluťoučký 🐎', HEX(?)", ['naïve 🐎', '🐎']));
check('values_written', fn () => [
    rows(connect(), 'SELECT ?, ?, ?, ?, ?', [-5, 2.5, "žluťoučký 🐎 ' \" \\ \0", '', null]),
    rows(real(), 'SELECT ?, ?, ?, ?, ?', [-5, 2.5, "žluťoučký 🐎 ' \" \\ \0", '', null]),
]);
check('blob', function () {
    $connection = real();
    $connection->exec('CREATE TEMPORARY TABLE blobs (data LONGBLOB)');
    rows($connection, 'INSERT INTO blobs VALUES (?)', [BLOB]);
    [[$data, $md5]] = rows($connection, 'SELECT data, MD5(data) FROM blobs');
    return [$data === BLOB, $md5];
});
check('multi_statement', fn () => all_results(connect(), MULTI));
check('multi_error', fn () => all_results(connect(), MULTI_WITH_ERROR));
check('procedure', fn () => all_results(real(), 'CALL one_result()'));
check('procedure_error', fn () => all_results(connect(), 'CALL results_then_error()'));
check('transaction', function () {
    $connection = connect();
    $connection->exec('CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB');
    $seen = [];
    foreach (['rollBack', 'commit', 'rollBack'] as $end) {
        $connection->beginTransaction();
        $connection->exec('INSERT INTO tx VALUES (1)');
        $connection->$end();
        $seen[] = [$connection->inTransaction(), rows($connection, 'SELECT COUNT(*) FROM tx')];
    }
    return $seen;
});
check('error_continue', function () {
    $connection = real();
    return array_map(
        fn ($sql) => [outcome(fn () => rows($connection, $sql)), rows($connection, AFTER)], FAILING
    );
});
check('load_data', fn () => load('rows.txt'));
check('load_data_missing', fn () => load('missing.txt'));
check('streaming', fn () => stream(false));
check('streaming_abandoned', fn () => stream(true));
check('killed', fn () => [
    outcome(fn () => rows(connect(), 'KILL CONNECTION_ID()')), rows(connect(), AFTER),
]);
// The driver compresses whether or not it is offered, and then waits for ever.
ini_set('mysqlnd.net_read_timeout', '5');
check('tls', fn () => rows(connect([], USE_TLS), "SHOW STATUS LIKE 'Ssl_version'"));
check('compression', fn () => rows(
    connect([], [PDO::MYSQL_ATTR_COMPRESS => true]), "SHOW STATUS LIKE 'Compression'"
));
