// SPDX-License-Identifier: Apache-2.0
// Servers of Debian's source packages, linked with musl: as it is, and as the one whose system calls are function calls.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runUk } from '../../whole/command.ts';

const run = promisify(execFile);

const cache = (...names: string[]) =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uk/bench', ...names);

export interface Source {
  /** Debian's source package. */
  name: 'redis' | 'nginx';
  /** Shell commands in its folder; `$CC` compiles and links statically. */
  commands: string[];
  /** The program that they leave. */
  program: string;
}

export const SOURCES: Readonly<Record<Source['name'], Source>> = {
  redis: {
    name: 'redis',
    commands: [
      'make -j"$(nproc)" -C src redis-server CC="$CC" MALLOC=libc CFLAGS= LDFLAGS=-static OPTIMIZATION=-O2 DEBUG= USE_SYSTEMD=no BUILD_TLS=no',
    ],
    program: 'src/redis-server',
  },
  nginx: {
    name: 'nginx',
    // What needs other libraries is left out; neither is asked for.
    commands: [
      './configure --with-cc="$CC" --with-cc-opt=-O2 --with-ld-opt=-static --without-http_rewrite_module --without-http_gzip_module --without-pcre --error-log-path=/dev/null',
      'make -j"$(nproc)"',
    ],
    program: 'objs/nginx',
  },
};

/** Debian's musl has neither the header nor the functions; no password is asked for here. */
const CRYPT = '#define crypt(key, salt) ((char *)0)\n';

/**
 * Builds a server once for each compiler, which takes a minute.
 *
 * @param compiler a gcc that links with musl
 * @returns the path of the program
 * @throws Error where Debian's source or the compiler cannot be had
 */
export async function fromSource(source: Source, compiler: string, say: (text: string) => void): Promise<string> {
  const archive = await download(source.name);
  const { stdout: version } = await run(compiler, ['-print-file-name=libc.a']);
  const key = createHash('sha256')
    .update(JSON.stringify([archive, compiler, version, source]))
    .digest('hex');
  const program = cache(`${source.name}-${key.slice(0, 16)}`);
  if (existsSync(program)) return program;
  say(`building ${source.name} with ${compiler}, once`);
  const folder = await mkdtemp(cache('building-'));
  try {
    await run('tar', ['-xf', archive, '-C', folder, '--strip-components=1']);
    // The kernel's headers do not come with musl; those of the other libc must not be seen.
    const headers = join(folder, 'uk-headers');
    await mkdir(headers);
    await symlink('/usr/include/linux', join(headers, 'linux'));
    await symlink('/usr/include/asm-generic', join(headers, 'asm-generic'));
    await symlink('/usr/include/x86_64-linux-gnu/asm', join(headers, 'asm'));
    await writeFile(join(headers, 'crypt.h'), CRYPT);
    const wrapper = join(folder, 'uk-cc');
    await writeFile(wrapper, `#!/bin/sh\nexec '${compiler}' "$@" -idirafter '${headers}'\n`);
    await chmod(wrapper, 0o755);
    for (const command of source.commands) {
      await run('sh', ['-c', command], { cwd: folder, env: { ...process.env, CC: wrapper }, maxBuffer: 1 << 26 });
    }
    await copyFile(join(folder, source.program), `${program}.new`);
    await rename(`${program}.new`, program);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return program;
}

/** The upstream archive of a Debian source package, by apt with lists of its own: the machine's name no sources. */
async function download(name: string): Promise<string> {
  const folder = cache('sources', name);
  const archive = async (): Promise<string | undefined> =>
    (await readdir(folder).catch(() => [])).find((file) => /\.orig\.tar\.[a-z0-9]+$/.test(file));
  const there = await archive();
  if (there !== undefined) return join(folder, there);
  await mkdir(join(folder, 'lists/partial'), { recursive: true });
  const list = join(folder, 'sources.list');
  const codename = (await run('sh', ['-c', '. /etc/os-release && echo "$VERSION_CODENAME"'])).stdout.trim();
  await writeFile(
    list,
    `deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ${codename} main\n`,
  );
  const options = [`SourceList=${list}`, 'SourceParts=/dev/null'].map((option) => `Dir::Etc::${option}`);
  const apt = [...options, `Dir::State::lists=${join(folder, 'lists')}`, `Dir::Cache=${folder}`].flatMap((option) => [
    '-o',
    option,
  ]);
  await run('apt-get', [...apt, '-q', 'update']);
  await run('apt-get', [...apt, '-q', '--download-only', 'source', name], { cwd: folder });
  await rm(join(folder, 'lists'), { recursive: true, force: true });
  const found = await archive();
  if (found === undefined) throw new Error(`apt-get source ${name} left no archive`);
  return join(folder, found);
}

/**
 * The compiler whose programs call the kernel where they can: `$RING0_MUSL_GCC`, or what `uk libc build` prints.
 *
 * @returns undefined where there is none
 */
export async function callingCompiler(): Promise<string | undefined> {
  const given = process.env.RING0_MUSL_GCC;
  if (given !== undefined) return given;
  const { status, stdout } = await runUk(['libc', 'build']);
  return status === 0 ? stdout.toString().trim() : undefined;
}
