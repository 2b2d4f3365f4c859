// How the Node programs of the client matrix report: one line per check (see ../README.md).
'use strict';

const crypto = require('node:crypto');

// Longer texts are told by their digest.
const LONGEST_TEXT = 300;

// Makes JSON of what JSON does not know.
function stable(key, value) {
  const original = this[key];
  if (typeof original === 'bigint') return `${original}n`;
  if (Buffer.isBuffer(original)) return `bytes ${original.toString('hex')}`;
  if (original instanceof Date) return `date ${original.toISOString()}`;
  if (original instanceof Error) return describe(original);
  if (original === undefined) return 'undefined';
  return value;
}

function describe(error) {
  return `${error.code} ${error.errno} ${error.sqlState} ${error.sqlMessage || ''}`;
}

// Returns a short text that differs when the value differs.
function digest(value) {
  const text = JSON.stringify(value, stable);
  if (text.length <= LONGEST_TEXT) return text;
  const sha = crypto.createHash('sha256').update(text).digest('hex');
  return `${text.length} characters, ${sha.slice(0, 16)}`;
}

// Runs one check and prints its line.
async function check(name, run) {
  let line;
  try {
    line = `ok ${digest(await run())}`;
  } catch (error) {
    line = `error ${digest(error instanceof Error && error.code ? error : String(error))}`;
  }
  console.log(`${name}: ${line}`);
}

// Returns what a promise gives, or how it fails.
async function outcome(promise) {
  try {
    return await promise;
  } catch (error) {
    return error;
  }
}

module.exports = { check, outcome };
