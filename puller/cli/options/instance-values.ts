// SPDX-License-Identifier: Apache-2.0
// How values of commands on instances are written.
import { InvalidArgumentError } from 'commander';
import { signalNumber } from '../../instances/signals/names.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest that Node's timers can wait: 24.8 days. */
const DURATION_MAX_MS = 2 ** 31 - 1;

/** `500ms`, `30s`, `1m30s`, `2h`, in milliseconds. */
export function parseDuration(text: string): number {
  const time = durationOf(text);
  if (time !== undefined && time > 0 && time <= DURATION_MAX_MS) return time;
  throw new InvalidArgumentError('write a time such as 500ms, 30s, 1m30s or 2h, at most 24 days');
}

/** A time of RFC 3339, seconds since 1970, or how long ago, as in `10m`; milliseconds since 1970. */
export function parseMoment(text: string): number {
  const ago = durationOf(text);
  if (ago !== undefined) return Date.now() - ago;
  if (/^[0-9]{1,11}(?:\.[0-9]+)?$/.test(text)) return Number(text) * 1_000;
  const at = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new InvalidArgumentError(
    'write a time such as 2030-01-31T12:00:00Z, seconds since 1970, or 10m for how long ago',
  );
}

/** `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:5`. */
export function parseRestart(text: string): { name: 'no' | 'on-failure' | 'always' | 'unless-stopped'; max?: number } {
  if (text === 'no' || text === 'always' || text === 'unless-stopped' || text === 'on-failure') return { name: text };
  const max = /^on-failure:([0-9]{1,6})$/.exec(text)?.[1];
  if (max !== undefined) return { name: 'on-failure', max: Number(max) };
  throw new InvalidArgumentError('write no, on-failure, on-failure:5, always or unless-stopped');
}

/** `SIGTERM`, `TERM` or `15`. */
export function parseSignal(text: string): number {
  const number = signalNumber(text);
  if (number !== undefined) return number;
  throw new InvalidArgumentError('write a signal such as SIGTERM, TERM or 15');
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new InvalidArgumentError('write a port of the guest, from 1 to 65535');
}

/** `/healthz` or `8080/healthz`. */
export function parseHttpCheck(text: string): { port: number | undefined; path: string } {
  const [, port = '', path] = /^([0-9]{0,5})(\/[\x21-\x7e]*)$/.exec(text) ?? [];
  if (path === undefined)
    throw new InvalidArgumentError('write a path, with a port or without: 8080/healthz, /healthz');
  return { port: port === '' ? undefined : parsePort(port), path };
}

/** Whole seconds from 0. */
export function parseSeconds(text: string): number {
  if (/^[0-9]{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('write whole seconds');
}

/** A whole number from 0, or `all`. */
export function parseTail(text: string): number | 'all' {
  if (text === 'all' || /^[0-9]{1,9}$/.test(text)) return text === 'all' ? text : Number(text);
  throw new InvalidArgumentError('write a number of lines, or all');
}

function durationOf(text: string): number | undefined {
  if (!/^(?:[0-9]{1,9}(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const parts = text.matchAll(/([0-9]+)(ms|s|m|h|d)/g);
  return [...parts].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
}
