// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pushImage } from './push-image.ts';
import { type RunningRegistry, startRegistry } from './running-registry.ts';
import { sampleImage } from './sample-image.ts';
import { findTool, type Home, makeHome, needing } from './tools.ts';

const { missing, title } = needing('containerd', 'containerd', 'ctr');
const root = process.getuid?.() === 0;

describe.skipIf(missing || !root)(root ? title : `${title} (skipped: needs root)`, () => {
  let registry: RunningRegistry;
  let home: Home;
  let stopDaemon: () => Promise<void>;

  const ctr = (...args: string[]) => home.run('ctr', ['--address', home.path('c.sock'), ...args]);

  beforeAll(async () => {
    registry = await startRegistry();
    home = await makeHome();
    stopDaemon = await startContainerd(home);
    await vi.waitFor(() => ctr('version'), { timeout: 30_000, interval: 100 });
  });
  afterAll(async () => {
    await stopDaemon();
    expect(registry.errors).toEqual([]);
    await registry.stop();
    await home.remove();
  });

  for (const compression of ['gzip', 'zstd'] as const) {
    test(`pulls and unpacks ${compression} layers, and pushes them under another name`, async () => {
      const image = await sampleImage({ compression });
      await pushImage(registry.url, `ctr/${compression}`, image, 't');
      const ref = `${registry.host}/ctr/${compression}:t`;
      await ctr('images', 'pull', '--plain-http', '--snapshotter', 'native', ref);
      const again = `${registry.host}/ctr/again:${compression}`;
      await ctr('images', 'tag', ref, again);
      await ctr('images', 'push', '--plain-http', again);
      const answer = await fetch(`${registry.url}/v2/ctr/again/manifests/${compression}`, { method: 'HEAD' });
      expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
    });
  }
});

async function startContainerd(home: Home): Promise<() => Promise<void>> {
  const config = [
    'version = 2',
    `root = "${home.path('root')}"`,
    `state = "${home.path('state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
    `[grpc]\n  address = "${home.path('c.sock')}"`,
    `[ttrpc]\n  address = "${home.path('t.sock')}"`,
  ];
  await writeFile(home.path('config.toml'), config.join('\n'));
  // The suite is skipped where it is missing.
  const file = findTool('containerd') as string;
  const daemon = spawn(file, ['--config', home.path('config.toml')], { env: home.environment, stdio: 'ignore' });
  return async () => {
    if (daemon.exitCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  };
}
