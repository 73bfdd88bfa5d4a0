// SPDX-License-Identifier: Apache-2.0
import { MEDIA_TYPE } from '../../../image-format/index.ts';
import type { Ability, Prepared } from './contestants.ts';
import { BLOBS, type Data, FEW, FEW_TAGS, IMAGES, MANY_TAGS, REFERRERS } from './data.ts';
import { listAfterChange } from './list-after-change.ts';
import type { Load, LoadResult } from './load.ts';
import type { RunningServer } from './running-server.ts';
import { readSlowly } from './slow-readers.ts';

const MIB = 1024 * 1024;

export interface Cell {
  contestant: Prepared;
  server: RunningServer;
  data: Data;
  load: Load;
  connections: number;
  seconds: number;
}

export interface Figure {
  /** In the scenario's unit. */
  value: number;
  /** Microseconds. */
  p50: number;
  p99: number;
}

export interface Scenario {
  name: string;
  what: string;
  /** Of `ms` less is better. */
  unit: 'requests/s' | 'MiB/s' | 'ms' | 'readers';
  /** Writes: each cell gets an empty storage. */
  pushes?: boolean;
  /** Always at this many connections. */
  connections?: number;
  /** Left out for servers without it. */
  needs?: Ability;
  run(cell: Cell): Promise<Figure>;
}

const rate = ({ requests, seconds, p50, p99 }: LoadResult): Figure => ({ value: requests / seconds, p50, p99 });
const throughput = ({ bytes, seconds, p50, p99 }: LoadResult): Figure => ({ value: bytes / seconds / MIB, p50, p99 });

/**
 * Asks once for each path, and looks at the answer; then lets the load do the same.
 *
 * @param check throws where the answer is not what it should be
 */
function reading(
  paths: (data: Data) => string[],
  check: (body: Buffer, data: Data) => void = () => undefined,
  method: 'GET' | 'HEAD' = 'GET',
) {
  return async ({ server, data, load, connections, seconds }: Cell): Promise<LoadResult> => {
    let length: number | undefined;
    for (const path of paths(data)) {
      const headers = { Accept: `${MEDIA_TYPE.manifest}, ${MEDIA_TYPE.index}` };
      const answer = await fetch(server.url + path, { headers });
      const body = Buffer.from(await answer.arrayBuffer());
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body.toString('utf8', 0, 300)}`);
      if (length !== undefined && length !== body.length) throw new Error(`${path}: of another length than the others`);
      length = body.length;
      check(body, data);
    }
    return load.read({ method, paths: paths(data), length: length ?? 0 }, { port: server.port, connections, seconds });
  };
}

const pages = (repository: string, query: string) => () => [`/v2/${repository}/tags/list${query}`];
const tagsAre = (count: number) => (body: Buffer) => {
  const { length } = JSON.parse(body.toString()).tags as string[];
  if (length !== count) throw new Error(`${length} tags and not ${count}`);
};
const sized = (size: number) => (body: Buffer) => {
  if (body.length !== size) throw new Error(`${body.length} bytes and not ${size}`);
};
const blobs = (which: 'medium' | 'large') => (data: Data) =>
  data[which].map(({ digest }) => `/v2/${BLOBS}/blobs/${digest}`);
const byTag = ({ images }: Data) => images.slice(0, 10).map(({ tag }) => `/v2/${IMAGES}/manifests/${tag}`);
const byDigest = ({ images }: Data) => images.slice(0, 10).map(({ digest }) => `/v2/${IMAGES}/manifests/${digest}`);

function pushing(way: 'put' | 'patch', size: number) {
  return async ({ server, load, connections, seconds }: Cell): Promise<Figure> =>
    throughput(await load.push({ way, size, repository: 'bench/pushed' }, { port: server.port, connections, seconds }));
}

const reads = (
  name: string,
  what: string,
  unit: 'requests/s' | 'MiB/s',
  run: (cell: Cell) => Promise<LoadResult>,
): Scenario => ({
  name,
  what,
  unit,
  run: async (cell) => (unit === 'MiB/s' ? throughput(await run(cell)) : rate(await run(cell))),
});

/** Page of a list, where one is asked for. */
const PAGE = 100;

export const SCENARIOS: readonly Scenario[] = [
  reads('manifest-by-tag', 'manifest by tag', 'requests/s', reading(byTag)),
  reads('manifest-by-digest', 'manifest by digest', 'requests/s', reading(byDigest)),
  reads('manifest-head', 'HEAD of a manifest by tag', 'requests/s', reading(byTag, undefined, 'HEAD')),
  reads('blob-head', 'HEAD of a blob', 'requests/s', reading(blobs('medium'), undefined, 'HEAD')),
  reads('blob-4m', 'blob of 4 MiB', 'MiB/s', reading(blobs('medium'), sized(4 * MIB))),
  reads('blob-64m', 'blob of 64 MiB', 'MiB/s', reading(blobs('large'), sized(64 * MIB))),
  reads('tags-1000', '1,000 tags, whole list', 'requests/s', reading(pages(FEW_TAGS, ''), tagsAre(FEW))),
  {
    ...reads(
      'tags-1000-page',
      `1,000 tags, first ${PAGE}`,
      'requests/s',
      reading(pages(FEW_TAGS, `?n=${PAGE}`), tagsAre(PAGE)),
    ),
    needs: 'pages',
  },
  {
    ...reads(
      'tags-many-page',
      `many tags, first ${PAGE}`,
      'requests/s',
      reading(pages(MANY_TAGS, `?n=${PAGE}`), tagsAre(PAGE)),
    ),
    needs: 'pages',
  },
  {
    name: 'tags-many-changed',
    what: `many tags, first ${PAGE} for all who wait after a change`,
    unit: 'ms',
    needs: 'pages',
    run: (cell) => listAfterChange(cell, `/v2/${MANY_TAGS}/tags/list?n=${PAGE}`),
  },
  {
    ...reads(
      'referrers',
      '20 referrers of a manifest',
      'requests/s',
      reading(({ subject }) => [`/v2/${REFERRERS}/referrers/${subject}`]),
    ),
    needs: 'referrers',
  },
  {
    name: 'slow-readers',
    what: 'memory while readers take 64 KiB of a 64 MiB blob every 100 ms',
    unit: 'readers',
    connections: 64,
    run: (cell) => readSlowly(cell, blobs('large')(cell.data)),
  },
  { name: 'push-4m', what: 'push of 4 MiB: POST, PUT', unit: 'MiB/s', pushes: true, run: pushing('put', 4 * MIB) },
  { name: 'push-64m', what: 'push of 64 MiB: POST, PUT', unit: 'MiB/s', pushes: true, run: pushing('put', 64 * MIB) },
  {
    name: 'push-4m-streamed',
    what: 'push of 4 MiB: POST, streamed PATCH, PUT',
    unit: 'MiB/s',
    pushes: true,
    run: pushing('patch', 4 * MIB),
  },
  {
    name: 'push-64m-streamed',
    what: 'push of 64 MiB: POST, streamed PATCH, PUT',
    unit: 'MiB/s',
    pushes: true,
    run: pushing('patch', 64 * MIB),
  },
];
