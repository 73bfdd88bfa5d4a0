// SPDX-License-Identifier: Apache-2.0
import { announce } from './copy.ts';

/** How often progress is drawn. */
const DRAWN_MS = 100;

/**
 * Fetches a blob and hashes it here, piece by piece: a browser's own hash needs all bytes in memory at once. The
 * registry that served the page is not asked whether it is right.
 */
export async function verify(button: HTMLButtonElement): Promise<void> {
  const { verify: address = '', digest = '', size = '0' } = button.dataset;
  const output = button.parentElement?.querySelector('output');
  if (!output || button.disabled) return;
  button.disabled = true;
  output.className = '';
  const say = (text: string, kind = '') => {
    output.textContent = text;
    output.className = kind;
  };
  try {
    say('0%');
    const found = await hashOf(address, digest.split(':')[0] ?? '', Number(size), (part) => say(`${part}%`));
    const isRight = found.digest === digest && found.bytes === Number(size);
    const text = isRight ? 'verified' : found.digest === digest ? 'another size than declared' : 'another digest';
    say(text, isRight ? 'good' : 'bad');
    announce(isRight ? 'Verified: the content has this digest' : `Not verified: ${text}`);
    output.title = found.digest;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    say(error instanceof Refused ? reason : 'could not be fetched', 'bad');
    announce(`Not verified: ${reason}`);
    output.title = reason;
  } finally {
    button.disabled = false;
  }
}

/** The registry answered, but not with the bytes. */
class Refused extends Error {}

async function hashOf(
  address: string,
  algorithm: string,
  size: number,
  progress: (percent: number) => void,
): Promise<{ digest: string; bytes: number }> {
  const { createHash } = await import('./hash.ts');
  const answer = await fetch(address, { cache: 'no-store' });
  if (!answer.ok || answer.body === null) throw new Refused(`the registry answered ${answer.status}`);
  const hash = createHash(algorithm);
  const reader = answer.body.getReader();
  let bytes = 0;
  let drawn = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    hash.update(value);
    bytes += value.length;
    if (performance.now() - drawn > DRAWN_MS) {
      drawn = performance.now();
      progress(size === 0 ? 0 : Math.min(99, Math.floor((bytes / size) * 100)));
      // The page is drawn, and answers, between two pieces.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }
  return { digest: `${algorithm}:${hash.digest('hex')}`, bytes };
}
