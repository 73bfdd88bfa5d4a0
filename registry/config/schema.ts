// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { duration, size, waitingTime } from './amounts.ts';
import { originList } from './origins.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A primary process gives its workers some seconds more. */
const MOST_GRACE_MS = 24 * DAY_MS;
const MIB = 1024 * 1024;

const filesystem = z.strictObject({
  driver: z.literal('filesystem').describe('filesystem or s3'),
  root: z.string().min(1).describe('folder that holds everything; one server at a time runs on it'),
});

const s3 = z.strictObject({
  driver: z.literal('s3'),
  bucket: z.string().min(1).describe('bucket that holds everything; any number of servers may share it'),
  prefix: z.string().default('').describe('what every key begins with'),
  endpoint: z.url().optional().describe("where the store is; left out: Amazon's, of the region"),
  region: z.string().optional().describe('region that requests are signed for; left out: AWS_REGION, else us-east-1'),
  accessKeyId: z.string().optional().describe("left out: as Amazon's tools find it (environment, files, roles)"),
  secretAccessKey: z.string().optional().describe('goes with accessKeyId'),
  sessionToken: z.string().optional().describe('goes with temporary credentials'),
  pathStyle: z
    .boolean()
    .optional()
    .describe('bucket in the path and not in the host name; left out: so where there is an endpoint'),
  redirect: z
    .boolean()
    .default(false)
    .describe('let clients read blobs from the store by themselves, by presigned addresses'),
  publicEndpoint: z.url().optional().describe('where clients reach the store, for these; left out: the endpoint'),
  exclusive: z
    .boolean()
    .default(false)
    .describe(
      'promises that this is the only server, so that a store which ignores conditional writes will do; one worker',
    ),
  timeout: waitingTime.default(10_000).describe('how long one attempt of a request may take'),
  attempts: z.int().min(1).max(20).default(5).describe('how often a request is tried'),
  partSize: size.default(8 * MIB).describe('bytes of a part of a large upload, at least 5M'),
});

/**
 * Everything that can be configured, once for the file, the environment and the command line. Each leaf's description
 * is what `--print-config` and the documentation say about it.
 */
export const configSchema = z.strictObject({
  listen: z
    .string()
    .regex(/^(?:\[[0-9a-fA-F:]+\]|[^:[\]]*):[0-9]{1,5}$/, 'write HOST:PORT, as in 127.0.0.1:5000')
    .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65535, 'ports go to 65535')
    .default('127.0.0.1:5000')
    .describe('address to serve at; port 0 lets the system choose'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)])
    .default('auto')
    .transform((workers) => (workers === 'auto' ? availableParallelism() : workers))
    .describe('processes that answer requests; auto: one a processor'),
  storage: z.discriminatedUnion('driver', [filesystem, s3]),
  tls: z
    .strictObject({
      certificate: z.string().describe('file with the certificate and its chain, PEM'),
      key: z.string().describe('file with its private key, PEM'),
    })
    .optional(),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('what is logged'),
      requests: z.boolean().default(false).describe('log every request, not only those that fail'),
    })
    .prefault({}),
  metrics: z.boolean().default(true).describe('answer /metrics, for Prometheus'),
  cors: z
    .strictObject({
      origins: originList
        .default([])
        .describe('origins whose web pages may read from the registry, separated by commas; * is every origin'),
    })
    .prefault({}),
  web: z
    .strictObject({
      pages: z.boolean().default(true).describe('show pages to browsers, see docs/web.md'),
      host: z
        .string()
        .regex(/^[^\s/:@][^\s@]*$/, 'write HOST[:PORT][/PATH], as in registry.example.com:5000')
        .optional()
        .describe('what references begin with on pages; left out: the host that the browser or its proxy names'),
    })
    .prefault({}),
  manifests: z
    .strictObject({
      sparse: z.boolean().default(false).describe('take manifests that name what their repository does not hold'),
    })
    .prefault({}),
  uploads: z
    .strictObject({
      idle: duration.default(7 * DAY_MS).describe('how long an unfinished upload may rest before it is given up'),
    })
    .prefault({}),
  collection: z
    .strictObject({
      every: waitingTime.default(0).describe('how often the server collects by itself; 0: only when it is told to'),
      grace: duration
        .default(DAY_MS)
        .describe('how long a blob that no manifest of its repository names is left alone after it was pushed there'),
      settle: duration
        .default(60 * MINUTE_MS)
        .describe('how long it then stays condemned: a later collection deletes it; 0: the same one does'),
    })
    .prefault({}),
  connections: z
    .strictObject({
      idle: waitingTime
        .refine((read) => read > 0, 'more than 0')
        .default(90_000)
        .describe('how long a client may be silent in the middle of a request or answer'),
      grace: waitingTime
        .refine((read) => read < MOST_GRACE_MS, 'less than 24d')
        .default(10_000)
        .describe('how long requests under way may take when the server stops'),
      drain: waitingTime.default(0).describe('how long /readyz says no before the server stops to take connections'),
    })
    .prefault({}),
  cache: z
    .strictObject({
      blobs: size.default(64 * MIB).describe('bytes of small, often read blobs that a process keeps in memory'),
      records: size.default(64 * MIB).describe('bytes of manifests, tags and the like that a process keeps in memory'),
    })
    .prefault({}),
});

export type RegistryConfig = z.output<typeof configSchema>;
export type StorageConfig = RegistryConfig['storage'];

/** Leaves that `--print-config` does not show. */
export const SECRETS: readonly string[] = ['storage.accessKeyId', 'storage.secretAccessKey', 'storage.sessionToken'];
