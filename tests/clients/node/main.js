// Checks of the Node drivers; the argument names the driver: mysql2, mariadb or mysql.
'use strict';

const drivers = require('./drivers');
const { check, outcome } = require('./report');

const driver = drivers[process.argv[2]]();
const DIRECTORY = process.env.MATRIX_DIR;
const MIB = 1024 * 1024;
const LONGEST_PACKET = 16 * MIB - 1;
const EDGES = [LONGEST_PACKET - 1, LONGEST_PACKET, LONGEST_PACKET + 1];
const BLOB = Buffer.alloc(20 * MIB, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
const CONNECTIONS = 50;
const QUERIES_PER_CONNECTION = 10;
const OTHER = { user: 'other', password: 'other-secret', database: 'matrix_other' };
const WHO = 'SELECT CURRENT_USER() AS user, DATABASE() AS db, @@character_set_client AS charset';
const AFTER = "SELECT 'after'";
// Longer than the one second after which a server ends an idle session here.
const IDLE_MS = 2500;
const STREAM = "SELECT seq, REPEAT('x', 200) FROM seq_1_to_50000";
const VALUES = [
  -5, 9007199254740993n, 2.5, new Date('2024-02-29T12:34:56.654Z'), "žluťoučký 🐎 ' \" \\ \0",
  Buffer.from([0, 255, 39, 92]), '', null, true,
];

// Runs a function with a connection, and ends the connection.
async function connected(run, changes) {
  const connection = await driver.connect(changes);
  try {
    return await run(connection);
  } finally {
    await outcome(Promise.race([connection.end(), new Promise((done) => setTimeout(done, 2000))]));
    connection.destroy();
  }
}

const one = (sql, values) => connected((connection) => connection.query(sql, values));

function queryOfLength(length) {
  const frame = "\x03SELECT LENGTH('')".length;
  return `SELECT LENGTH('${'x'.repeat(length - frame)}')`;
}

async function columns(kind) {
  await connected(async (connection) => {
    const names = (await connection.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'matrix' " +
      "AND table_name = 'types' ORDER BY ordinal_position"))[0].map((row) => Object.values(row)[0]);
    const read = kind === 'text' ? connection.query : connection.execute;
    for (const name of names) {
      await check(`types_${kind}.${name}`, () => read(`SELECT ${name} FROM types ORDER BY id`));
    }
    await check(`types_${kind}`, () => read('SELECT * FROM types ORDER BY id'));
  });
}

async function afterwards(connection, promise) {
  return [await outcome(promise), await connection.query(AFTER)];
}

async function streaming(connection, limit) {
  let count = 0;
  let total = 0;
  for await (const row of connection.stream(STREAM)) {
    count += 1;
    total += Number(row[0]) + row[1].length;
    if (count === limit) break;
  }
  return [count, total];
}

async function load(file) {
  return connected(async (connection) => {
    await connection.query('CREATE TEMPORARY TABLE loaded (a INT, b TEXT)');
    const sql = `LOAD DATA LOCAL INFILE '${DIRECTORY}/${file}' INTO TABLE loaded`;
    const answer = await outcome(connection.infile(sql));
    const text = answer instanceof Error ? [answer.code, answer.errno] : answer;
    return [text, await outcome(connection.query('SELECT COUNT(*), SUM(a), MAX(b) FROM loaded'))];
  });
}

const checks = {
  connect: () => one(WHO),
  no_database: () => connected((c) => c.query(WHO), { database: undefined }),
  wrong_password: () => connected((c) => c.query(WHO), { password: 'wrong' }),
  unknown_database: () => connected((c) => c.query(WHO), { database: 'nosuch' }),
  server_version: () => connected(async (c) => (c.version ? c.version() : 'not told')),
  null: () => one("SELECT NULL AS a, '' AS b, 'NULL' AS c UNION ALL SELECT NULL, NULL, NULL"),
  utf8mb4: () => one("SELECT ? AS a, 'žluťoučký 🐎' AS b, HEX(?) AS c", ['naïve 🐎', '🐎']),
  values_written: () =>
    one(`SELECT ${VALUES.map((_, index) => `? AS v${index}`).join(', ')}`, VALUES),
  many_columns: () =>
    one(`SELECT ${Array.from({ length: 1000 }, (_, n) => `${n} AS column_${n}`).join(', ')}`),
  empty_result: () => one('SELECT * FROM types WHERE id = 99'),
  blob: () => connected(async (c) => {
    await c.query('CREATE TEMPORARY TABLE blobs (data LONGBLOB)');
    await c.query('INSERT INTO blobs VALUES (?)', [BLOB]);
    const [[row]] = await c.query('SELECT data, MD5(data) AS md5 FROM blobs');
    const [data, md5] = Object.values(row);
    return [BLOB.equals(data), md5];
  }),
  row_edges: () => connected(async (c) => {
    const seen = [];
    for (const length of EDGES) {
      // A string as long as this has four bytes of length in front.
      const [[row]] = await c.query(`SELECT REPEAT('x', ${length - 4}) AS x`);
      seen.push(Object.values(row)[0].length);
    }
    return seen;
  }),
  query_edges: () => connected(async (c) => {
    const seen = [];
    for (const length of EDGES) {
      if (length > driver.longestQuery) break;
      seen.push((await c.query(queryOfLength(length)))[0].map(Object.values));
    }
    return seen;
  }),
  multi_statement: () => connected((c) =>
    afterwards(c, c.query('SELECT 1; DO 0; SELECT 2, 3; SELECT seq FROM seq_1_to_3'))),
  multi_error: () => connected((c) =>
    afterwards(c, c.query('SELECT 1; SELECT nosuch; SELECT 2'))),
  procedure: () => connected(async (c) => [
    await afterwards(c, c.query('CALL one_result()')),
    await afterwards(c, c.query("SET @text = 'text'; CALL with_out(21, @product, @text); SELECT @product, @text")),
  ]),
  procedure_error: () => connected((c) => afterwards(c, c.query('CALL results_then_error()'))),
  transaction: () => connected(async (c) => {
    const seen = [];
    await c.query('CREATE TEMPORARY TABLE tx (a INT) ENGINE=InnoDB');
    for (const end of ['ROLLBACK', 'COMMIT', 'ROLLBACK']) {
      await c.query('START TRANSACTION');
      await c.query('INSERT INTO tx VALUES (1)');
      await c.query(end);
      seen.push(await c.query('SELECT COUNT(*), @@in_transaction FROM tx'));
    }
    return seen;
  }),
  affected: () => connected(async (c) => {
    const seen = [];
    await c.query('CREATE TEMPORARY TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
    for (const sql of ['INSERT INTO a (n) VALUES (1), (2), (3)', 'UPDATE a SET n = 1', 'DELETE FROM a']) {
      seen.push(await c.query(sql));
    }
    return seen;
  }),
  warnings: () => connected(async (c) => [
    await c.query("SELECT 1/0, CAST('x' AS INT)"), await c.query('SHOW WARNINGS'),
  ]),
  error_continue: () => connected(async (c) => {
    const seen = [];
    for (const sql of ['SELECT nosuch', 'nonsense', 'SELECT * FROM nosuch', "SIGNAL SQLSTATE '45000'"]) {
      seen.push(await afterwards(c, c.query(sql)));
    }
    return seen;
  }),
  load_data: () => load('rows.txt'),
  load_data_empty: () => load('empty.txt'),
  load_data_missing: () => load('missing.txt'),
  parallel: async () => {
    const work = async (number) => connected(async (c) => {
      let total = 0;
      for (let step = 0; step < QUERIES_PER_CONNECTION; step += 1) {
        const [[row]] = await c.query('SELECT ? AS value', [number * 1000 + step]);
        total += Number(Object.values(row)[0]);
      }
      return total;
    });
    const totals = await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => work(number)));
    return totals.reduce((sum, total) => sum + total);
  },
  streaming: () => connected(async (c) => [await streaming(c), await c.query(AFTER)]),
  streaming_abandoned: () => connected((c) => streaming(c, 1)),
  select_db: () => connected(async (c) => [await c.query('USE matrix_other'), await c.query(WHO)]),
  killed: () => connected(async (c) => {
    const kill = await outcome(c.query('KILL CONNECTION_ID()'));
    return [kill.errno, await one(AFTER)];
  }),
  // A pool whose connection the server ended while it was idle.
  idle_ended: async () => {
    const pool = driver.pool();
    await pool.query('SET SESSION wait_timeout = 1');
    await new Promise((done) => setTimeout(done, IDLE_MS));
    const seen = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await outcome(pool.query('SELECT @@wait_timeout > 1 AS fresh'));
      seen.push(answer instanceof Error ? answer.code : 'answered');
    }
    await pool.end();
    return seen;
  },
};

// Logs in with each method, with the right and with a wrong password.
async function logins() {
  for (const account of process.env.MATRIX_LOGINS.trim().split(' ')) {
    const [user, port] = account.split(':');
    const become = (password) => () => connected((c) => c.query('SELECT CURRENT_USER() AS who'), {
      user, password, port: Number(port), ...driver.logins,
    });
    await check(`login.${user}`, become('secret'));
    await check(`login_refused.${user}`, become('wrong'));
  }
}

// Checks of what only some of the drivers have.
const optional = {
  change_user: ['changeUser', async (c) => [
    await outcome(c.changeUser(OTHER)), await c.query(WHO),
    (await outcome(c.changeUser({ user: 'other', password: 'wrong' }))).errno,
  ]],
  reset_connection: ['reset', async (c) => [
    await c.query('SET @kept = 1'), await c.reset(), await c.query('SELECT @kept'), await c.query(WHO),
  ]],
  ping: ['ping', async (c) => [(await c.ping()) === undefined || 'ok', await c.query(AFTER)]],
  statistics: ['statistics', async (c) => [await c.statistics(), await c.query(AFTER)]],
  batch: ['batch', async (c) => {
    await c.query('CREATE TEMPORARY TABLE b (n INT, t TEXT)');
    const rows = Array.from({ length: 1000 }, (_, n) => [n, n % 7 ? `text ${n}` : null]);
    await c.batch('INSERT INTO b VALUES (?, ?)', rows);
    return c.query('SELECT COUNT(*), SUM(n), COUNT(t), MAX(t) FROM b');
  }],
  prepared_values: ['execute', async (c) => [
    await outcome(c.execute(`SELECT ${VALUES.map((_, n) => `? AS v${n}`).join(', ')}`, VALUES)),
    await c.execute('SELECT LENGTH(?) AS length, MD5(?) AS md5', [BLOB, BLOB]),
    await outcome(c.execute('SELECT nosuch FROM types WHERE id = ?', [1])),
    await c.execute('SELECT ? AS value', ['after']),
  ]],
  prepared_procedure: ['execute', async (c) => [
    await outcome(c.execute('CALL one_result()', [])),
    await outcome(c.execute('CALL results_then_error()', [])),
    await c.query(AFTER),
  ]],
  statements: ['prepare', async (c) => {
    const statements = [];
    for (let n = 0; n < 20; n += 1) statements.push(await c.prepare(`SELECT ? AS a, ? AS b, ${n} AS n`));
    const seen = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const statement of statements) {
        seen.push(await new Promise((resolve, reject) => {
          const answer = statement.execute([turn, `text ${turn}`], (error, rows) =>
            (error ? reject(error) : resolve(rows)));
          // mysql2 calls back, mariadb returns a promise.
          if (answer && answer.then) answer.then(resolve, reject);
        }));
      }
    }
    for (const statement of statements) statement.close();
    return [seen, await c.query(AFTER)];
  }],
};

async function main() {
  let probe;
  try {
    probe = await driver.connect();
  } catch (error) {
    // It does not have the method of this server's accounts: only logins are left to compare.
    await check('connect', () => Promise.reject(error));
    await logins();
    return;
  }
  await logins();
  await columns('text');
  if (probe.execute) await columns('prepared');
  for (const [name, run] of Object.entries(checks)) await check(name, run);
  for (const [name, [method, run]] of Object.entries(optional)) {
    if (probe[method]) await check(name, () => connected(run));
  }
  await check('tls', () =>
    connected((c) => c.query("SHOW STATUS LIKE 'Ssl_version'"), driver.tls));
  await check('compression', () =>
    connected((c) => c.query("SHOW STATUS LIKE 'Compression'"), driver.compression));
  probe.destroy();
}

main().then(() => process.exit(0));
