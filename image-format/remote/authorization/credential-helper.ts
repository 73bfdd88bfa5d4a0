// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import * as z from 'zod';
import { ImageError } from '../../errors.ts';

/** What the user has for a registry: a password, or a token that is exchanged for others. */
export type Login = { username: string; password: string } | { identityToken: string };

const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 1024 * 1024;

const answerSchema = z.looseObject({ Username: z.string(), Secret: z.string() });

/**
 * Asks a program `docker-credential-NAME` for a login.
 *
 * @param server as the helper knows it
 * @returns undefined where it has none
 * @throws ImageError `REGISTRY_UNAUTHORIZED`
 * @see https://github.com/docker/docker-credential-helpers, "Development"
 */
export async function runCredentialHelper(
  name: string,
  server: string,
  env: NodeJS.ProcessEnv,
): Promise<Login | undefined> {
  const program = programOf(name);
  const { status, output } = await run(program, 'get', server, env);
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw failed(program, output.trim().split('\n')[0]?.slice(0, 200) || `it ended with ${status}`);
  }
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(output));
  } catch {
    // The cause would quote the secret.
    throw failed(program, 'its answer cannot be read');
  }
  if (answer.Username === '<token>') return { identityToken: answer.Secret };
  return answer.Username === '' ? undefined : { username: answer.Username, password: answer.Secret };
}

/**
 * Gives a login to a program `docker-credential-NAME` to keep, or has it forget one.
 *
 * @throws ImageError `REGISTRY_UNAUTHORIZED`
 */
export async function tellCredentialHelper(
  name: string,
  server: string,
  login: { username: string; password: string } | undefined,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const program = programOf(name);
  const { status, output } =
    login === undefined
      ? await run(program, 'erase', server, env)
      : await run(
          program,
          'store',
          JSON.stringify({ ServerURL: server, Username: login.username, Secret: login.password }),
          env,
        );
  if (status === 0 || (login === undefined && /credentials not found/i.test(output))) return;
  throw failed(program, output.trim().split('\n')[0]?.slice(0, 200) || `it ended with ${status}`);
}

function programOf(name: string): string {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw failed(program, 'its name is not valid');
  return program;
}

function run(
  program: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [action], { env, stdio: ['pipe', 'pipe', 'ignore'], timeout: TIMEOUT_MS });
    const pieces: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > MAX_OUTPUT) child.kill();
      else pieces.push(piece);
    });
    child.on('error', (cause) => reject(failed(program, cause.message)));
    child.on('close', (status) => resolve({ status: status ?? 1, output: Buffer.concat(pieces).toString('utf8') }));
    // A helper that ends without reading says so by its status.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function failed(program: string, why: string): ImageError {
  return new ImageError('REGISTRY_UNAUTHORIZED', `${program} fails: ${why}`, {
    hint: "it is named in docker's or podman's configuration; install it, or log in again",
  });
}
