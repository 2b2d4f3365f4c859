// What differs between the Node drivers. Each has connect(), and connections with
//   query(sql, values)    all results of a query; rows are arrays
//   execute(sql, values)  the same with a prepared statement, or undefined
//   stream(sql)           an async iterable of rows
//   infile(sql)           LOAD DATA LOCAL
//   changeUser, ping, reset, statistics: where the driver has them
// and pool(), a pool of one connection with query(sql) and end(),
// and `logins`, the settings of connect() that allow what a login may not do by default.
'use strict';

const fs = require('node:fs');
const { PassThrough } = require('node:stream');
const { promisify } = require('node:util');

const TLS = { ssl: { rejectUnauthorized: false } };
const SETTINGS = {
  host: '127.0.0.1',
  port: Number(process.env.MATRIX_PORT),
  user: 'u',
  password: 'secret',
  database: 'matrix',
  multipleStatements: true,
  // The default of one second is not enough for many connections at a time.
  connectTimeout: 30000,
  ...(process.env.MATRIX_TLS ? TLS : {}),
};
const NUMBERS = { supportBigNumbers: true, bigNumberStrings: true };
const COMPRESSION = { compress: true };

// mysql2, with promises of our own: its stream() is only on the callback connection.
function mysql2() {
  const driver = require('mysql2');
  const settings = { ...SETTINGS, ...NUMBERS, charset: 'utf8mb4', rowsAsArray: true };
  const infileStreamFactory = (path) => fs.createReadStream(path);
  return {
    tls: TLS,
    compression: COMPRESSION,
    // It miscounts the packets of a query of 16 MiB, and the server closes the connection.
    longestQuery: 16 * 1024 * 1024 - 2,
    pool: () => callbackPool(driver.createPool({ ...settings, connectionLimit: 1 })),
    async connect(changes = {}) {
      const raw = driver.createConnection({ ...settings, infileStreamFactory, ...changes });
      const call = (name) => (...values) =>
        new Promise((resolve, reject) => {
          raw[name](...values, (error, result, fields) =>
            error ? reject(error) : resolve(fields === undefined ? result : [result, shape(fields)]));
        });
      await new Promise((resolve, reject) => {
        raw.once('error', reject);
        raw.once('connect', resolve);
      });
      // A connection that the server ends reports it here as well.
      raw.on('error', () => {});
      return {
        query: call('query'),
        execute: call('execute'),
        prepare: call('prepare'),
        infile: call('query'),
        changeUser: call('changeUser'),
        ping: call('ping'),
        reset: raw.reset ? call('reset') : undefined,
        stream: (sql) => raw.query(sql).stream(),
        version: async () => String(raw._handshakePacket && raw._handshakePacket.serverVersion),
        end: call('end'),
        destroy: () => raw.destroy(),
      };
    },
  };
}

// Keeps of the columns what tells their type.
function shape(fields) {
  if (Array.isArray(fields)) return fields.map(shape);
  if (!fields) return null;
  const { name, columnType, type, length, columnLength, characterSet, charsetNr, flags } = fields;
  return { name, columnType, type, length, columnLength, characterSet, charsetNr, flags };
}

// A pool with callbacks, with promises.
function callbackPool(pool) {
  return { query: promisify(pool.query.bind(pool)), end: promisify(pool.end.bind(pool)) };
}

function mysql() {
  const driver = require('mysql');
  return {
    pool: () => callbackPool(driver.createPool({ ...SETTINGS, connectionLimit: 1 })),
    logins: { insecureAuth: true },
    tls: TLS,
    compression: COMPRESSION,
    async connect(changes = {}) {
      const raw = driver.createConnection({
        ...SETTINGS, ...NUMBERS, charset: 'utf8mb4', localInfile: true, ...changes,
      });
      raw.on('error', () => {});
      const call = (name) => promisify(raw[name].bind(raw));
      // Its own streams may close before their last rows were read.
      const stream = (sql) => {
        const rows = new PassThrough({ objectMode: true });
        raw.query(sql)
          .on('error', (error) => rows.destroy(error))
          .on('result', (row) => {
            if (rows.destroyed || rows.write(row)) return;
            raw.pause();
            rows.once('drain', () => raw.resume());
          })
          .on('end', () => rows.end());
        return rows;
      };
      const query = (...values) =>
        new Promise((resolve, reject) => {
          raw.query(...values, (error, result, fields) =>
            error ? reject(error) : resolve([result, shape(fields)]));
        });
      await call('connect')();
      return {
        query,
        infile: query,
        changeUser: call('changeUser'),
        ping: call('ping'),
        statistics: async () => (await call('statistics')()).message.split(':')[0],
        stream: (sql) => valuesOf(stream(sql)),
        end: call('end'),
        destroy: () => raw.destroy(),
      };
    },
  };
}

async function* valuesOf(stream) {
  for await (const row of stream) yield Object.values(row);
}

function mariadb() {
  const driver = require('mariadb');
  return {
    pool: () => driver.createPool({ ...SETTINGS, connectionLimit: 1, rowsAsArray: true }),
    logins: { allowPublicKeyRetrieval: true },
    tls: TLS,
    compression: COMPRESSION,
    async connect(changes = {}) {
      const raw = await driver.createConnection({
        ...SETTINGS, rowsAsArray: true, permitLocalInfile: true, bulk: true, ...changes,
      });
      raw.on('error', () => {});
      const withMeta = async (promise) => {
        const result = await promise;
        return Array.isArray(result) && result.meta
          ? [[...result], result.meta.map((column) => [column.name(), column.type, column.columnLength])]
          : result;
      };
      return {
        query: (sql, values) => withMeta(raw.query(sql, values)),
        execute: (sql, values) => withMeta(raw.execute(sql, values)),
        prepare: (sql) => raw.prepare(sql),
        infile: (sql) => raw.query(sql),
        batch: (sql, values) => raw.batch(sql, values),
        changeUser: (to) => raw.changeUser(to),
        ping: () => raw.ping(),
        reset: () => raw.reset(),
        stream: (sql) => raw.queryStream(sql),
        version: async () => raw.serverVersion(),
        end: () => raw.end(),
        destroy: () => raw.destroy(),
      };
    },
  };
}

module.exports = { mysql2, mysql, mariadb };
