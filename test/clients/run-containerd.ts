// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { vi } from 'vitest';
import { findTool, type Home } from './tools.ts';

/**
 * Starts a containerd of one's own in a home, without Kubernetes' interface, and waits until it answers. Root only.
 *
 * @returns its client, and what stops it
 */
export async function runContainerd(
  home: Home,
): Promise<{ ctr(...args: string[]): Promise<string>; stop(): Promise<void> }> {
  const stop = await startContainerd(home);
  const ctr = (...args: string[]) => home.run('ctr', ['--address', home.path('c.sock'), ...args]);
  await vi.waitFor(() => ctr('version'), { timeout: 30_000, interval: 100 });
  return { ctr, stop };
}

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
