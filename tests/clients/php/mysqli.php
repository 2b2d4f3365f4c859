<?php
// Checks of PHP's mysqli.
declare(strict_types=1);

require __DIR__ . '/report.php';

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

const USE_TLS = MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT;

function connect(array $changes = [], int $flags = 0): mysqli
{
    $settings = $changes + ['user' => 'u', 'password' => 'secret', 'database' => 'matrix', 'port' => PORT];
    $connection = mysqli_init();
    $connection->options(MYSQLI_OPT_LOCAL_INFILE, true);
    $connection->real_connect(
        '127.0.0.1', $settings['user'], $settings['password'], $settings['database'], $settings['port'], null,
        TLS ? $flags | USE_TLS : $flags
    );
    $connection->set_charset('utf8mb4');
    return $connection;
}

function rows(mysqli $connection, string $sql): mixed
{
    $result = $connection->query($sql);
    return $result === true ? $connection->affected_rows : $result->fetch_all();
}

function prepared(mysqli $connection, string $sql, ?string $types = null, array $values = []): array
{
    $statement = $connection->prepare($sql);
    if ($types !== null) {
        $statement->bind_param($types, ...$values);
    }
    $statement->execute();
    $result = $statement->get_result();
    $answer = [$result->fetch_fields(), $result->fetch_all()];
    $statement->close();
    return $answer;
}

// Returns all results of a query, and the error that ends them.
function all_results(mysqli $connection, string $sql): array
{
    $results = [];
    $ended = outcome(function () use ($connection, $sql, &$results) {
        $connection->multi_query($sql);
        do {
            $result = $connection->store_result();
            $results[] = $result ? $result->fetch_all() : $connection->affected_rows;
        } while ($connection->next_result());
        return 'all';
    });
    return [$results, $ended, rows($connection, AFTER)];
}

function columns(string $kind, callable $read): void
{
    $connection = connect();
    foreach (array_column(rows($connection, COLUMNS), 0) as $name) {
        check("types_$kind.$name", fn () => $read($connection, "SELECT $name FROM types ORDER BY id"));
    }
    check("types_$kind", fn () => $read($connection, 'SELECT * FROM types ORDER BY id'));
}

function text_with_fields(mysqli $connection, string $sql): array
{
    $result = $connection->query($sql);
    return [$result->fetch_fields(), $result->fetch_all()];
}

function load(string $file): array
{
    $connection = connect();
    $connection->query('CREATE TEMPORARY TABLE loaded (a INT, b TEXT)');
    $sql = "LOAD DATA LOCAL INFILE '" . DIRECTORY . "/$file' INTO TABLE loaded";
    $answer = outcome(fn () => [@$connection->query($sql), $connection->info]);
    return [$answer, outcome(fn () => rows($connection, 'SELECT COUNT(*), SUM(a), MAX(b) FROM loaded'))];
}

function stream(bool $abandon): array
{
    $connection = connect();
    $result = $connection->query(STREAM, MYSQLI_USE_RESULT);
    $count = $total = 0;
    while ($row = $result->fetch_row()) {
        $count += 1;
        $total += (int) $row[0] + strlen($row[1]);
        if ($abandon) {
            break;
        }
    }
    $result->free();
    return [$count, $total, rows($connection, AFTER)];
}

check('connect', fn () => rows(connect(), WHO));
check('no_database', fn () => rows(connect(['database' => '']), WHO));
check('wrong_password', fn () => connect(['password' => 'wrong']));
check('unknown_database', fn () => connect(['database' => 'nosuch']));
logins();
check('server_version', fn () => [connect()->server_info, connect()->server_version]);
columns('text', 'text_with_fields');
columns('prepared', 'prepared');
check('null', fn () => rows(connect(), "SELECT NULL, '', 'NULL' UNION ALL SELECT NULL, NULL, NULL"));
check('utf8mb4', fn () => rows(connect(), "SELECT 'žluťoučký 🐎', HEX('🐎')"));
check('values_written', fn () => prepared(
    connect(), 'SELECT ?, ?, ?, ?, ?', 'idsss', [-5, 2.5, "žluťoučký 🐎 ' \" \\ \0", '', null]
));
check('many_columns', fn () => rows(
    connect(), 'SELECT ' . implode(', ', array_map(fn ($n) => "$n AS column_$n", range(0, 999)))
));
check('empty_result', fn () => text_with_fields(connect(), 'SELECT * FROM types WHERE id = 99'));
check('blob', function () {
    $connection = connect();
    $connection->query('CREATE TEMPORARY TABLE blobs (data LONGBLOB)');
    $text = $connection->real_escape_string(BLOB);
    $connection->query("INSERT INTO blobs VALUES ('$text')");
    // In pieces, with COM_STMT_SEND_LONG_DATA.
    $statement = $connection->prepare('INSERT INTO blobs VALUES (?)');
    $null = null;
    $statement->bind_param('b', $null);
    foreach (str_split(BLOB, MIB) as $piece) {
        $statement->send_long_data(0, $piece);
    }
    $statement->execute();
    $answer = rows($connection, 'SELECT data, MD5(data) FROM blobs');
    return array_map(fn ($row) => [$row[0] === BLOB, $row[1]], $answer);
});
check('row_edges', function () {
    $connection = connect();
    return array_map(fn ($sql) => strlen(rows($connection, $sql)[0][0]), edge_rows());
});
check('query_edges', function () {
    $connection = connect();
    return array_map(fn ($sql) => rows($connection, $sql), edge_queries());
});
check('multi_statement', fn () => all_results(connect(), MULTI));
check('multi_error', fn () => all_results(connect(), MULTI_WITH_ERROR));
check('procedure', fn () => all_results(connect(), 'CALL one_result()'));
check('procedure_error', fn () => all_results(connect(), 'CALL results_then_error()'));
check('prepared_procedure', function () {
    $connection = connect();
    $statement = $connection->prepare('CALL results_then_error()');
    $results = [];
    $ended = outcome(function () use ($statement, &$results) {
        $statement->execute();
        do {
            $result = $statement->get_result();
            $results[] = $result ? $result->fetch_all() : null;
        } while ($statement->next_result());
        return 'all';
    });
    $statement->close();
    return [$results, $ended, rows($connection, AFTER)];
});
check('transaction', function () {
    $connection = connect();
    $connection->query('CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB');
    $seen = [];
    foreach (['rollback', 'commit', 'rollback'] as $end) {
        $connection->begin_transaction();
        $connection->query('INSERT INTO tx VALUES (1)');
        $connection->$end();
        $seen[] = rows($connection, 'SELECT COUNT(*), @@in_transaction FROM tx');
    }
    return $seen;
});
check('affected', function () {
    $connection = connect();
    $connection->query('CREATE TEMPORARY TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
    $seen = [];
    foreach (['INSERT INTO a (n) VALUES (1), (2), (3)', 'UPDATE a SET n = 1', 'DELETE FROM a'] as $sql) {
        $connection->query($sql);
        $seen[] = [$connection->affected_rows, $connection->insert_id, $connection->info];
    }
    return $seen;
});
check('warnings', function () {
    $connection = connect();
    $rows = rows($connection, "SELECT 1/0, CAST('x' AS INT)");
    return [$rows, $connection->warning_count, rows($connection, 'SHOW WARNINGS')];
});
check('error_continue', function () {
    $connection = connect();
    return array_map(
        fn ($sql) => [outcome(fn () => rows($connection, $sql)), $connection->sqlstate, rows($connection, AFTER)],
        FAILING
    );
});
check('load_data', fn () => load('rows.txt'));
check('load_data_empty', fn () => load('empty.txt'));
check('load_data_missing', fn () => load('missing.txt'));
check('change_user', function () {
    $connection = connect();
    $connection->query('SET @kept = 1');
    $answer = $connection->change_user('other', 'other-secret', 'matrix_other');
    $seen = [$answer, rows($connection, WHO), rows($connection, 'SELECT @kept')];
    $seen[] = outcome(fn () => $connection->change_user('other', 'wrong', 'matrix_other'));
    return $seen;
});
check('select_db', function () {
    $connection = connect();
    return [
        $connection->select_db('matrix_other'), rows($connection, WHO),
        outcome(fn () => $connection->select_db('nosuch')), rows($connection, WHO),
    ];
});
check('ping', fn () => connect()->ping());
check('statistics', fn () => explode(':', connect()->stat())[0]);
check('refresh', fn () => outcome(fn () => connect()->refresh(MYSQLI_REFRESH_STATUS)));
check('debug', fn () => outcome(fn () => connect()->dump_debug_info()));
check('parallel', function () {
    $connections = array_map(fn () => connect(), range(1, CONNECTIONS));
    $sum = 0;
    for ($step = 0; $step < 10; $step++) {
        foreach ($connections as $number => $connection) {
            $connection->query('SELECT ' . ($number * 1000 + $step), MYSQLI_ASYNC);
        }
        foreach ($connections as $connection) {
            $sum += (int) $connection->reap_async_query()->fetch_row()[0];
        }
    }
    return $sum;
});
check('streaming', fn () => stream(false));
check('streaming_abandoned', fn () => stream(true));
check('statements', function () {
    $connection = connect();
    $statements = array_map(fn ($n) => $connection->prepare("SELECT ?, ?, $n"), range(1, 20));
    $seen = [];
    foreach ([0, 1, 2] as $turn) {
        foreach ($statements as $statement) {
            $text = "text $turn";
            $statement->bind_param('is', $turn, $text);
            $statement->execute();
            $seen[] = $statement->get_result()->fetch_all();
            $statement->reset();
        }
    }
    foreach ($statements as $statement) {
        $statement->close();
    }
    return [$seen, outcome(fn () => $connection->prepare('SELECT nosuch')), rows($connection, AFTER)];
});
check('cursor', function () {
    $connection = connect();
    $statement = $connection->prepare('SELECT seq FROM seq_1_to_1000');
    // With COM_STMT_FETCH.
    $statement->attr_set(MYSQLI_STMT_ATTR_CURSOR_TYPE, MYSQLI_CURSOR_TYPE_READ_ONLY);
    $statement->execute();
    $statement->bind_result($number);
    $sum = 0;
    while ($statement->fetch()) {
        $sum += $number;
    }
    $statement->close();
    return [$sum, rows($connection, AFTER)];
});
check('killed', fn () => [
    outcome(fn () => rows(connect(), 'KILL CONNECTION_ID()')), rows(connect(), AFTER),
]);
// The driver compresses whether or not it is offered, and then waits for ever.
ini_set('mysqlnd.net_read_timeout', '5');
check('tls', fn () => rows(connect([], USE_TLS), "SHOW STATUS LIKE 'Ssl_version'"));
check('compression', fn () => rows(
    connect([], MYSQLI_CLIENT_COMPRESS), "SHOW STATUS LIKE 'Compression'"
));
