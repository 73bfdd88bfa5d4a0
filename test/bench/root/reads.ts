// SPDX-License-Identifier: Apache-2.0
// Reading files in a guest: out of the layers, and the same files on ext4 on the same kind of disk; and in a container.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { uk } from '../../whole/command.ts';
import type { Images } from './images.ts';
import { median, type Row } from './row.ts';

const ROUNDS = 5;
const RANDOM_READS = 20_000;

export async function reads(images: Images, folder: string): Promise<Row[]> {
  const { env, big, tools } = images;
  const mounts = ['-v', 'bench:/ext4', '-v', `${tools}:/t:ro`];
  const inGuest = (script: string): Promise<string> =>
    uk(['run', '-m', '512M', ...mounts, big, '--', '/bin/sh', '-ec', script], { env });
  await inGuest('cp -r /srv/data/seq /ext4/');
  const drop = 'echo 3 > /proc/sys/vm/drop_caches';
  const round = ['/srv/data/seq', '/ext4/seq'].flatMap((path) => [
    ...[drop, `echo "$(/t/reads seq ${path}) ${path}"`],
    `echo "warm-$(/t/reads seq ${path}) ${path}"`,
    ...[drop, `echo "$(/t/reads random ${path}/0 ${RANDOM_READS}) ${path}"`],
  ]);
  const guest = parse(await inGuest(Array.from({ length: ROUNDS }, () => round.join('\n')).join('\n')));
  const container = parse(inContainer(images, folder));
  const rows: Row[] = [];
  for (const [kind, what] of Object.entries(KINDS)) {
    const [ours, ext4, podman] = [
      guest.get(`${kind} /srv/data/seq`),
      guest.get(`${kind} /ext4/seq`),
      container.get(kind),
    ];
    if (ours === undefined || ext4 === undefined) throw new Error(`no figures for ${kind}`);
    const goal = kind === 'seq' ? { wanted: '≥ 0.9' } : {};
    rows.push({
      what,
      ours: show(kind, ours),
      other: `ext4 in the guest: ${show(kind, ext4)}`,
      ratio: ours / ext4,
      ...goal,
    });
    if (podman !== undefined) {
      rows.push({ what, ours: show(kind, ours), other: `podman, warm: ${show(kind, podman)}`, ratio: ours / podman });
    }
  }
  return rows;
}

const KINDS = {
  seq: 'reading 256 MiB of files, cold in the guest',
  'warm-seq': 'reading them again',
  random: '4 KiB at random places of 4 MiB, cold in the guest',
};

/** Median of bytes a second, by kind and path. */
function parse(output: string): Map<string, number> {
  const found = new Map<string, number[]>();
  for (const line of output.split('\n')) {
    const [kind, bytes, nanoseconds, ...path] = line.split(' ');
    const key = [kind, ...path].join(' ');
    found.set(key, [...(found.get(key) ?? []), Number(bytes) / (Number(nanoseconds) / 1e9)]);
  }
  return new Map([...found].map(([key, rates]) => [key, median(rates)]));
}

function show(kind: string, rate: number): string {
  return kind === 'random' ? `${Math.round(rate / 4096)}/s` : `${Math.round(rate / 2 ** 20)} MiB/s`;
}

/** The same files shared into a plain container: its image would be copied file by file first. */
function inContainer({ plain, data, tools }: Images, folder: string): string {
  const podman = (...args: string[]): string =>
    execFileSync(
      'podman',
      [
        ...['--root', join(folder, 'podman'), '--runroot', join(folder, 'podman-run'), '--storage-driver', 'vfs'],
        ...['--runtime', 'runc', '--cgroup-manager', 'cgroupfs', ...args],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
  // podman takes a name for a path only where it could be one of an image.
  const archive = join(folder, 'base.tar');
  execFileSync('skopeo', ['copy', '--quiet', plain, `docker-archive:${archive}:localhost/base:1`]);
  podman('load', '--quiet', '--input', archive);
  const image = 'localhost/base:1';
  const script = [
    '/t/reads seq /data/seq',
    `/t/reads random /data/seq/0 ${RANDOM_READS}`,
    'echo "warm-$(/t/reads seq /data/seq)"',
  ];
  const limits = ['--network', 'none', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
  return podman(
    ...['run', '--rm', ...limits, '-v', `${data}:/data:ro`, '-v', `${tools}:/t:ro`, image],
    ...['sh', '-ec', Array.from({ length: ROUNDS }, () => script.join('\n')).join('\n')],
  );
}
