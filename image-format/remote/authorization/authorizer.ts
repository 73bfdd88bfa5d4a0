// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod';
import { ImageError } from '../../errors.ts';
import { answerError } from '../answer-error.ts';
import type { Credentials } from '../remote.ts';
import { networkError, type Transport } from '../transport.ts';
import type { Login } from './credential-helper.ts';
import { findLogin } from './credentials.ts';
import { type Challenge, parseWwwAuthenticate } from './www-authenticate.ts';

const tokenSchema = z.looseObject({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

/** Docker's token specification: what a token is good for when its answer does not say. */
const DEFAULT_LIFE_S = 60;
/** A token is not used in the last seconds of its life. */
const MARGIN_S = 5;
const MAX_TOKEN_ANSWER = 1024 * 1024;

interface Token {
  header: string;
  /** Milliseconds since 1970. */
  expires: number;
}

export interface AuthorizerOptions {
  registry: string;
  endpoint: URL;
  transport: Transport;
  credentials: Credentials | null | undefined;
  env: NodeJS.ProcessEnv;
  userAgent: string;
  now: () => number;
}

/**
 * Knows what to put into `Authorization` for a scope. Nothing is sent before the registry asks for it, and then
 * whatever it asks for: Basic, or a bearer token of the service that it names, one per scope.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/ and …/auth/oauth/
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Token>();
  /** By repository: a namespace may have a login of its own. */
  readonly #logins = new Map<string, Promise<Login | undefined>>();
  /** Tokens that are being fetched. Many requests may find out at once that theirs has expired. */
  readonly #fetching = new Map<string, Promise<Token>>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** What was learned for this scope, if it still holds. */
  header(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    return token !== undefined && token.expires > this.#options.now() ? token.header : undefined;
  }

  /**
   * Answers a 401.
   *
   * @param scope `repository:NAME:pull`, several separated by spaces
   * @returns whether there is something new to try
   * @throws ImageError `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNREACHABLE`, `REGISTRY_ERROR`
   */
  async answer(wwwAuthenticate: string, scope: string, signal: AbortSignal | undefined): Promise<boolean> {
    const challenges = parseWwwAuthenticate(wwwAuthenticate);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) {
      const fetching = this.#fetching.get(scope) ?? this.#fetchToken(bearer, scope, signal);
      this.#fetching.set(scope, fetching);
      this.#tokens.set(scope, await fetching.finally(() => this.#fetching.delete(scope)));
      return true;
    }
    const login = await this.#findLogin(scope);
    if (challenges.every(({ scheme }) => scheme !== 'basic') || login === undefined || !('username' in login)) {
      return false;
    }
    this.#tokens.set(scope, { header: basic(login), expires: Number.POSITIVE_INFINITY });
    return true;
  }

  /** Forgets what the registry has refused, unless it is something newer already. */
  forget(scope: string, refused: string | undefined): void {
    if (this.#tokens.get(scope)?.header === refused) this.#tokens.delete(scope);
  }

  async #findLogin(scope: string): Promise<Login | undefined> {
    const { credentials, registry, env } = this.#options;
    if (credentials !== undefined) return credentials === null ? undefined : credentials;
    const repository = /^repository:([^:]+):/.exec(scope)?.[1] ?? '';
    const known = this.#logins.get(repository) ?? findLogin(registry, env, repository);
    this.#logins.set(repository, known);
    return await known;
  }

  async #fetchToken({ parameters }: Challenge, scope: string, signal: AbortSignal | undefined): Promise<Token> {
    const { registry, endpoint, transport, userAgent, now } = this.#options;
    const realm = tokenRealm(parameters.get('realm'), endpoint, registry);
    const scopes = scope === '' ? (parameters.get('scope') ?? '').split(' ') : scope.split(' ');
    const fields = new URLSearchParams();
    const service = parameters.get('service');
    if (service !== undefined) fields.set('service', service);
    const login = await this.#findLogin(scope);
    const isOauth = login !== undefined && 'identityToken' in login;
    if (isOauth) {
      fields.set('grant_type', 'refresh_token');
      fields.set('refresh_token', login.identityToken);
      fields.set('client_id', 'uk');
      fields.set('scope', scopes.join(' '));
    } else {
      for (const one of scopes.filter((text) => text !== '')) fields.append('scope', one);
      for (const [name, value] of fields) realm.searchParams.append(name, value);
    }
    const headers = {
      'user-agent': userAgent,
      accept: 'application/json',
      ...(isOauth ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(login !== undefined && 'username' in login ? { authorization: basic(login) } : {}),
    };
    const body = isOauth ? Buffer.from(fields.toString()) : undefined;
    try {
      const answer = await transport.send({ method: isOauth ? 'POST' : 'GET', url: realm, headers, body, signal });
      if (answer.status !== 200) throw await answerError(answer, `logging in to ${registry}`, registry);
      return readToken(await limitedText(answer.body), registry, now());
    } catch (error) {
      throw networkError(error, realm, signal);
    }
  }
}

function tokenRealm(realm: string | undefined, endpoint: URL, registry: string): URL {
  const url = realm !== undefined && URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new ImageError('REGISTRY_ERROR', `${registry} does not say where to log in (realm ${JSON.stringify(realm)})`);
  }
  if (endpoint.protocol === 'https:' && url.protocol === 'http:') {
    throw new ImageError(
      'REGISTRY_ERROR',
      `${registry} asks for a password to be sent to ${url.origin} without TLS, which is refused`,
    );
  }
  return url;
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function limitedText(body: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > MAX_TOKEN_ANSWER) break;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function readToken(text: string, registry: string, now: number): Token {
  let answer: z.infer<typeof tokenSchema> | undefined;
  try {
    answer = tokenSchema.parse(JSON.parse(text));
  } catch {
    // The cause would quote a token.
  }
  const token = answer?.token || answer?.access_token;
  // A header cannot hold a line break; a token that does would be someone's trick.
  if (!token || !/^[\x21-\x7e]+$/.test(token)) {
    throw new ImageError('REGISTRY_ERROR', `logging in to ${registry}: the answer holds no token`);
  }
  const life = Math.max(answer?.expires_in ?? DEFAULT_LIFE_S, DEFAULT_LIFE_S) - MARGIN_S;
  return { header: `Bearer ${token}`, expires: now + life * 1000 };
}
