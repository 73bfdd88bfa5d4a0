// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import type { RunningGuest } from '../boot.ts';

const PATIENCE_MS = 120_000;

/** @returns what gdb prints as it executes `commands`, and its exit status must be 0 */
export async function gdb(commands: readonly string[]): Promise<string> {
  const settings = ['set pagination off', 'set confirm off', 'set width 0', 'set debuginfod enabled off'];
  const args = ['-nx', '-batch', ...[...settings, ...commands].flatMap((command) => ['-ex', command])];
  const { stdout, stderr } = await promisify(execFile)('gdb', args, { timeout: PATIENCE_MS });
  return stdout + stderr;
}

/** The same with `target remote` to a guest that waits for it. `socket`: a path that it may use. */
export async function gdbOf(
  guest: RunningGuest,
  socket: string,
  { before, after }: { before: readonly string[]; after: readonly string[] },
): Promise<string> {
  const server = createServer((connection) => {
    // A guest's end is the monitor's, which does not wait until gdb has acknowledged it: gdb's connection stays open.
    guest.debugger.on('error', () => {}).pipe(connection, { end: false });
    connection.on('error', () => {}).pipe(guest.debugger);
  });
  server.listen(socket);
  await once(server, 'listening');
  try {
    return await gdb([...before, `target remote ${socket}`, ...after]);
  } finally {
    server.close();
    guest.debugger.destroy();
  }
}
