// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseReference } from '../../../image-format/index.ts';
import { type LoginPlace, openRemote, removeLogin, saveLogin } from '../../../image-format/remote/index.ts';
import type { Session } from '../context.ts';
import { CliError } from '../errors.ts';

export interface LoginFlags {
  username?: string;
  passwordStdin?: boolean;
  plainHttp?: boolean;
}

export async function login(session: Session, where: string, flags: LoginFlags): Promise<undefined> {
  const place = placeOf(where);
  const username = flags.username ?? (await ask('Username: ', session.signal));
  if (username === '' || username.includes(':')) throw new CliError('USAGE', 'a user name is not empty and has no ":"');
  const password = flags.passwordStdin
    ? (await text(process.stdin)).replace(/\r?\n$/, '')
    : await ask('Password: ', session.signal, 'hidden');
  if (password === '') throw new CliError('USAGE', 'the password is empty');
  const remote = openRemote({
    registry: place.registry,
    credentials: { username, password },
    ...(flags.plainHttp === undefined ? {} : { plainHttp: flags.plainHttp }),
  });
  try {
    if (!(await remote.checkLogin({ signal: session.signal }))) {
      session.output.problem(`uk: warning: ${place.registry} asks for no login, so the password was not checked`);
    }
  } finally {
    await remote.close();
  }
  const kept = await saveLogin(place, { username, password }, process.env);
  session.output.result({ ...place, username, kept }, () => `logged in to ${where}, kept in ${kept}`);
}

export async function logout(session: Session, where: string): Promise<number> {
  const removed = await removeLogin(placeOf(where), process.env);
  session.output.result({ removed }, () =>
    removed.length === 0 ? `nobody is logged in to ${where}` : `logged out of ${where}: ${removed.join(', ')}`,
  );
  return removed.length === 0 ? 1 : 0;
}

/** @throws CliError `USAGE` */
function placeOf(where: string): LoginPlace {
  const bare = where.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = slash < 0 ? bare : bare.slice(0, slash);
  try {
    // A word alone would be read as a repository of Docker Hub.
    const { registry, repository } = parseReference(`${host}/${slash < 0 ? 'x' : bare.slice(slash + 1)}`);
    if (registry !== host && !/^(?:index\.)?docker\.io$/.test(host)) throw new Error('not a host');
    return slash < 0 ? { registry } : { registry, namespace: repository };
  } catch {
    throw new CliError('USAGE', `not a registry: ${where.slice(0, 200)}`, { hint: 'write HOST[:PORT][/NAMESPACE]' });
  }
}

async function ask(question: string, signal: AbortSignal, echo: 'shown' | 'hidden' = 'shown'): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new CliError('USAGE', `${question.replace(/: $/, '').toLowerCase()} is missing, and there is no terminal`, {
      hint: 'give --username and --password-stdin',
    });
  }
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = echo === 'hidden' ? nowhere : process.stderr;
  const reader = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await reader.question('', { signal });
  } finally {
    reader.close();
    if (echo === 'hidden') process.stderr.write('\n');
  }
}
