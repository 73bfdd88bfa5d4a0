// SPDX-License-Identifier: Apache-2.0
// Initramfs archives with a server, its client, and what both need.
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Job {
  port: number;
  /** Absolute paths of this machine, and words; without spaces in them. */
  server: string[];
  client: string[];
  /** Path in the guest → content. */
  files: Readonly<Record<string, string>>;
}

/** @param init the compiled `serve.c` @returns the archive's path */
export async function serverInitrd(name: string, { port, server, client, files }: Job, init: string): Promise<string> {
  const root = `${init}-${name}`;
  await mkdir(root);
  await cp(init, join(root, 'init'));
  const commands: string[] = [];
  for (const [index, command] of [server, client].entries()) {
    const [program = '', ...words] = command;
    const inGuest = `/bin/${index === 0 ? 'server' : 'client'}`;
    await put(program, join(root, inGuest));
    for (const library of await libraries(program)) await put(library, join(root, library));
    commands.push([inGuest, ...words].join(' '));
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await writeFile(join(root, 'job'), `${port}\n${commands.join('\n')}\n`);
  const archive = `${root}.cpio`;
  await run('sh', ['-c', `cd '${root}' && find . | sort | cpio --quiet -o -H newc > '${archive}'`]);
  return archive;
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { dereference: true });
}

/** Of a dynamic program, its linker included. */
async function libraries(program: string): Promise<string[]> {
  const listed = await run('ldd', [program]).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
