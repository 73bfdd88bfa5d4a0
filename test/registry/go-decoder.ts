// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a client written in Go makes of manifests: the types of image-spec, read by Go's own decoder. */
export interface GoDecoder {
  /** @returns undefined where it reads the document, else why it does not */
  refusal(bytes: Uint8Array, mediaType: string): Promise<string | undefined>;
  close(): void;
}

/**
 * Builds and starts `go-decoder/`.
 *
 * @returns why there is none, where Go or the module of image-spec cannot be had
 */
export function startGoDecoder(): GoDecoder | string {
  const folder = mkdtempSync(join(tmpdir(), 'uk-go-decoder-'));
  const command = join(folder, 'decoder');
  try {
    const go = execFileSync('sh', [join(import.meta.dirname, '../setup/go.sh')], { stdio: ['ignore', 'pipe', 'pipe'] });
    const cwd = join(import.meta.dirname, 'go-decoder');
    execFileSync(go.toString().trim(), ['build', '-o', command, '.'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    rmSync(folder, { recursive: true });
    const { stderr = '', message } = error as { stderr?: Buffer | string; message: string };
    return `no decoder in Go: ${`${stderr}`.trim().split('\n').at(-1) || message}`;
  }
  return run(spawn(command, { stdio: ['pipe', 'pipe', 'inherit'] }), folder);
}

function run(child: ChildProcess, folder: string): GoDecoder {
  const waiting: ((line: string) => void)[] = [];
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('the decoder has no streams');
  createInterface({ input: stdout }).on('line', (line) => waiting.shift()?.(line));
  return {
    async refusal(bytes, mediaType) {
      const line = await new Promise<string>((resolve) => {
        waiting.push(resolve);
        stdin.write(`${mediaType} ${Buffer.from(bytes).toString('base64')}\n`);
      });
      return line === 'ok' ? undefined : line;
    },
    close() {
      stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
