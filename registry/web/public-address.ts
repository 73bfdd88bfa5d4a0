// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http';

/** How clients reach the registry, for the commands that pages offer. */
export interface PublicAddress {
  /** What references begin with: `registry.example.com:5000`, perhaps with a path behind it. */
  host: string;
  /** Whether it is reached over TLS. */
  secure: boolean;
}

export interface PublicAddressOptions {
  /** What references begin with, where neither the request nor the proxy knows it. */
  host?: string | undefined;
  /** Whether this process serves HTTPS itself. */
  secure: boolean;
}

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/i;

/**
 * From what the client or the proxy before us says (`Forwarded`, `X-Forwarded-Host`, `X-Forwarded-Proto`, `Host`).
 * Only the page of whoever sent them shows it, and pages are never stored for others.
 */
export function publicAddress(headers: IncomingHttpHeaders, { host, secure }: PublicAddressOptions): PublicAddress {
  const forwarded = parseForwarded(first(headers.forwarded));
  const scheme = forwarded.proto ?? first(headers['x-forwarded-proto']);
  const isSecure = scheme === undefined ? secure : scheme.toLowerCase() === 'https';
  if (host !== undefined) return { host, secure: isSecure };
  const named = [forwarded.host, first(headers['x-forwarded-host']), headers.host].find(
    (candidate) => candidate !== undefined && HOST.test(candidate),
  );
  return { host: named ?? 'localhost', secure: isSecure };
}

/** Of several proxies' values that of the first: the one that the client spoke to. */
function first(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text?.split(',')[0]?.trim() || undefined;
}

/** RFC 7239, as far as it is wanted here. */
function parseForwarded(text: string | undefined): { host?: string; proto?: string } {
  const found: { host?: string; proto?: string } = {};
  for (const [, name = '', value = ''] of (text ?? '').matchAll(/(host|proto)="?([^";\s]+)"?/gi)) {
    found[name.toLowerCase() as 'host' | 'proto'] = value;
  }
  return found;
}
