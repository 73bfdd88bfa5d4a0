// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, type TomlTable } from 'smol-toml';
import * as z from 'zod';
import { ImageError } from '../../errors.ts';
import { endpointOf, isLoopback } from '../endpoint.ts';
import type { HostOptions } from '../remote.ts';

/** What a host may be asked for: content by digest, and what a tag stands for. */
export type Capability = 'pull' | 'resolve';

/** One place that images of a registry are pulled from. */
export interface RegistryHost extends HostOptions {
  /** Host with port, as its own credentials and messages name it. */
  name: string;
  capabilities: ReadonlySet<Capability>;
}

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const hostShape = {
  capabilities: z.array(z.enum(['pull', 'resolve', 'push', 'referrers'])).optional(),
  ca: oneOrMore.optional(),
  client: z
    .union([z.string(), z.array(z.union([z.string(), z.array(z.string()).max(2)]))])
    .transform((value) => (typeof value === 'string' ? [[value]] : value.map((one) => [one].flat())))
    .optional(),
  skip_verify: z.boolean().optional(),
  override_path: z.boolean().optional(),
  header: z.record(z.string(), oneOrMore).optional(),
  dial_timeout: z.string().optional(),
};
const hostSchema = z.strictObject(hostShape);
const fileSchema = z.strictObject({
  ...hostShape,
  server: z.string().optional(),
  host: z.record(z.string(), hostSchema).optional(),
});
type HostTable = z.infer<typeof hostSchema>;

/**
 * Reads containerd's `hosts.toml`: the places that a registry's images are pulled from, in the order of the file, the
 * `server` last. Without `server` that is the registry itself; a file whose own `capabilities` lack `pull` leaves it out.
 * Unknown fields are an error. Otherwise a restriction that is not understood would not hold.
 *
 * @throws ImageError `MIRRORS_INVALID`
 * @see https://github.com/containerd/containerd/blob/main/docs/hosts.md
 */
export async function readHostsFile(
  path: string,
  registry: string,
  plainHttp: boolean | undefined,
): Promise<RegistryHost[]> {
  const { server, host = {}, ...own } = await parseFile(path);
  const hosts: RegistryHost[] = [];
  for (const [address, table] of Object.entries(host)) {
    hosts.push({ ...(await hostFrom(path, address, table)), namespace: registry });
  }
  const origin = endpointOf(registry, plainHttp);
  const last = await hostFrom(path, server ?? origin.href, own);
  const isOrigin = last.base.host === origin.host;
  const isUsed = !hosts.some(({ base }) => base.href === last.base.href);
  if (isUsed)
    hosts.push({ ...last, name: isOrigin ? registry : last.name, ...(isOrigin ? {} : { namespace: registry }) });
  return hosts.filter(({ capabilities }) => capabilities.size > 0);
}

async function parseFile(path: string): Promise<z.infer<typeof fileSchema>> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw invalid(path, `cannot be read: ${(cause as Error).message}`, cause);
  });
  let table: TomlTable;
  try {
    table = parse(text);
  } catch (cause) {
    throw invalid(path, `is not TOML: ${(cause as Error).message.split('\n')[0]}`, cause);
  }
  const read = fileSchema.safeParse(table);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw invalid(path, `at ${issue?.path.join('.') || 'the top'}: ${issue?.message}`);
}

async function hostFrom(path: string, address: string, table: HostTable): Promise<RegistryHost> {
  const base = addressOf(path, address);
  const isVersioned = table.override_path === true || /\/v2\/?$/.test(base.pathname);
  if (!isVersioned) base.pathname = `${base.pathname.replace(/\/$/, '')}/v2`;
  base.pathname = base.pathname.replace(/\/$/, '');
  const near = async (name: string) =>
    await readFile(resolve(dirname(path), name), 'utf8').catch((cause) => {
      throw invalid(path, `names a file that cannot be read: ${name}`, cause);
    });
  const certificates = await Promise.all((table.ca ?? []).map(near));
  const [client] = table.client ?? [];
  const [cert, key = cert] = client ?? [];
  const connectMs = table.dial_timeout === undefined ? undefined : durationOf(path, table.dial_timeout);
  return {
    name: base.host,
    base,
    capabilities: new Set((table.capabilities ?? ['pull', 'resolve']).filter(isCapability)),
    skipVerify: table.skip_verify ?? false,
    headers: Object.fromEntries(Object.entries(table.header ?? {}).map(([name, values]) => [name, values.join(', ')])),
    ...(certificates.length === 0 ? {} : { ca: certificates.join('\n') }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert: await near(cert), key: await near(key) } }),
    ...(connectMs === undefined ? {} : { connectMs }),
  };
}

function addressOf(path: string, address: string): URL {
  const host = address.split('/')[0] ?? '';
  const full = /^[a-z]+:\/\//.test(address) ? address : `${isLoopback(host) ? 'http' : 'https'}://${address}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw invalid(path, `names no host: ${JSON.stringify(address.slice(0, 200))}`);
  }
  return url;
}

function isCapability(name: string): name is Capability {
  return name === 'pull' || name === 'resolve';
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

function durationOf(path: string, text: string): number {
  const [, amount, unit = ''] = /^([0-9]{1,6})(ms|s|m)$/.exec(text) ?? [];
  const time = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (time > 0) return time;
  throw invalid(path, `dial_timeout is no time such as 3s: ${JSON.stringify(text.slice(0, 50))}`);
}

function invalid(path: string, why: string, cause?: unknown): ImageError {
  return new ImageError('MIRRORS_INVALID', `${path} ${why}`, { cause, hint: "it is containerd's hosts.toml" });
}
