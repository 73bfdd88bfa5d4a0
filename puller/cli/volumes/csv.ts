// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError } from 'commander';

/**
 * The fields of one line of comma-separated values (RFC 4180), as `docker run --mount` reads them: a field in quotes may
 * hold commas, and a doubled quote stands for one.
 *
 * @throws InvalidArgumentError for quotes in wrong places
 */
export function splitCsv(line: string): string[] {
  const fields: string[] = [];
  for (let from = 0; from <= line.length; ) {
    const [field, end] = line[from] === '"' ? quoted(line, from) : plain(line, from);
    fields.push(field);
    from = end + 1;
  }
  return fields;
}

/** @returns the field, and where it ends */
function plain(line: string, from: number): [field: string, end: number] {
  const comma = line.indexOf(',', from);
  const end = comma === -1 ? line.length : comma;
  const field = line.slice(from, end);
  if (field.includes('"')) {
    throw new InvalidArgumentError('a quote may only stand around a whole field, as in "src=./a,b"');
  }
  return [field, end];
}

function quoted(line: string, from: number): [field: string, end: number] {
  const [all = '', inner = ''] = /^"((?:[^"]|"")*)"/.exec(line.slice(from)) ?? [];
  const end = from + all.length;
  if (all === '') throw new InvalidArgumentError('a quote is not closed');
  if (end < line.length && line[end] !== ',') {
    throw new InvalidArgumentError('a comma must stand behind a field in quotes');
  }
  return [inner.replaceAll('""', '"'), end];
}
