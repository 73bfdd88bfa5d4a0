// SPDX-License-Identifier: Apache-2.0
import type { ListenOptions } from '../http/listen.ts';

/** `HOST:PORT`, `:PORT` for all IPv4 addresses, `[::1]:PORT`; the schema has checked it. */
export function listenAddress(text: string): ListenOptions {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host: host === '' ? '0.0.0.0' : host, port: Number(text.slice(colon + 1)) };
}
