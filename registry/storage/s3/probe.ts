// SPDX-License-Identifier: Apache-2.0
import { RegistryError } from '../../errors.ts';
import { type Bucket, type Condition, type ETag, md5 } from './bucket.ts';
import { isFailure, orUndefined, S3Failure } from './failures.ts';

/** What a store was seen to do. */
export interface Capabilities {
  /** PutObject with If-None-Match and If-Match: of several writers exactly one gets through. */
  conditionalPut: boolean;
  /** Whether If-Match of PutObject wants the tag in quotes; there are stores that want it bare. */
  quotesTags: boolean;
  /** DeleteObject with If-Match. */
  conditionalDelete: boolean;
  /** Whether an object's entity tag is the MD5 of its bytes. */
  md5Tags: boolean;
}

const WRITERS = 8;

/**
 * Tries out what the store really does, with keys that are thrown away: many stores take conditions, ignore them, and
 * answer as if they had held.
 *
 * @param folder a new prefix, with its final `/`
 * @throws RegistryError `STORAGE_UNAVAILABLE` where a store answers wrong bytes, or forgets what was written
 */
export async function probe(bucket: Bucket, folder: string): Promise<Capabilities> {
  const made: string[] = [];
  const path = (name: string) => {
    made.push(folder + name);
    return folder + name;
  };
  try {
    const [basics, absent, match, conditionalDelete] = await Promise.all([
      probeBasics(bucket, folder, path),
      isAbsentHeld(bucket, path('absent')),
      styleOfMatch(bucket, path('match'), path('missing')),
      isDeleteHeld(bucket, path('delete')),
    ]);
    const conditionalPut = absent && match !== undefined && (await isAtomic(bucket, path('race'), match));
    return {
      conditionalPut,
      quotesTags: match !== 'bare',
      conditionalDelete: conditionalPut && conditionalDelete,
      md5Tags: basics.md5Tags,
    };
  } finally {
    await Promise.allSettled(made.map((one) => bucket.delete(one)));
  }
}

async function probeBasics(bucket: Bucket, folder: string, path: (name: string) => string) {
  const bytes = Buffer.from('0123456789');
  // In the order of bytes, which is not the alphabet's.
  const names = ['list/!', 'list/A', 'list/_/x', 'list/a', 'list/a.b'].map(path);
  const etags = await Promise.all(names.map((name) => bucket.put(name, bytes)));
  const [first = ''] = names;
  const read = async () => {
    const { body } = await bucket.open(first, { start: 3, end: 6 });
    return Buffer.concat(await Array.fromAsync(body as AsyncIterable<Buffer>)).toString();
  };
  const [range, all, rest] = await Promise.all([
    read(),
    bucket.list(`${folder}list/`, undefined, 1000),
    bucket.list(`${folder}list/`, `${folder}list/_`, 1000),
  ]);
  if (range !== '3456') throw unfit(`it answers ${JSON.stringify(range)} for a range that holds "3456"`);
  const listed = (found: typeof all) => found.entries.map((entry) => entry.path).join(' ');
  if (listed(all) !== names.join(' ')) throw unfit('it does not list at once, in byte order, what was written');
  if (listed(rest) !== names.slice(2).join(' ')) throw unfit('it does not list behind a key (StartAfter)');
  return { md5Tags: etags.every((etag) => etag === md5(bytes)) };
}

/** Whether PutObject with If-None-Match is refused where something is. */
async function isAbsentHeld(bucket: Bucket, path: string): Promise<boolean> {
  if ((await attempt(bucket, path, 'first', 'absent')) === undefined) return false;
  return (await attempt(bucket, path, 'second', 'absent')) === undefined && (await text(bucket, path)) === 'first';
}

/** How PutObject with If-Match wants its tag; undefined where it is ignored. */
async function styleOfMatch(bucket: Bucket, path: string, missing: string): Promise<'quoted' | 'bare' | undefined> {
  const etag = await bucket.put(path, Buffer.from('first'));
  const other = md5(Buffer.from('other'));
  const ignored =
    (await attempt(bucket, path, 'second', { ifMatch: other })) !== undefined ||
    (await attempt(bucket, missing, 'second', { ifMatch: etag })) !== undefined ||
    (await text(bucket, path)) !== 'first';
  if (ignored) return undefined;
  if ((await attempt(bucket, path, 'third', { ifMatch: etag })) !== undefined) return 'quoted';
  return (await attempt(bucket, path, 'third', { ifMatch: etag, bare: true })) === undefined ? undefined : 'bare';
}

async function isDeleteHeld(bucket: Bucket, path: string): Promise<boolean> {
  const etag = await bucket.put(path, Buffer.from('first'));
  const deletes = async (tag: ETag) => {
    try {
      await bucket.delete(path, tag);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    return (await text(bucket, path)) === undefined;
  };
  return !(await deletes(md5(Buffer.from('other')))) && (await deletes(etag));
}

/** Whether one of many that come at once gets through, first to create, then to replace. */
async function isAtomic(bucket: Bucket, path: string, style: 'quoted' | 'bare'): Promise<boolean> {
  const race = async (what: string, condition: Condition) => {
    const writers = Array.from({ length: WRITERS }, (_, at) => attempt(bucket, path, `${what} ${at}`, condition));
    return (await Promise.all(writers)).filter((etag) => etag !== undefined);
  };
  const [etag, ...more] = await race('create', 'absent');
  if (etag === undefined || more.length > 0) return false;
  return (await race('replace', { ifMatch: etag, bare: style === 'bare' })).length === 1;
}

/** @returns the new tag, or undefined where the store refused */
async function attempt(bucket: Bucket, path: string, content: string, condition: Condition): Promise<ETag | undefined> {
  try {
    return await bucket.put(path, Buffer.from(content), condition);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (!error.uncertain) return undefined;
    // An answer was lost; what is refused now may have been taken before. No two attempts write the same content.
    const now = await orUndefined(bucket.get(path));
    return now?.bytes.toString() === content ? now.etag : undefined;
  }
}

/** Besides "does not hold": "I cannot do that". */
function isRefusal(error: unknown): error is S3Failure {
  if (isFailure(error, 'condition', 'absent')) return true;
  return (
    error instanceof S3Failure &&
    (error.status === 501 || error.code === 'NotImplemented' || error.code === 'InvalidArgument')
  );
}

async function text(bucket: Bucket, path: string): Promise<string | undefined> {
  return (await orUndefined(bucket.get(path)))?.bytes.toString();
}

function unfit(why: string): RegistryError {
  return new RegistryError('STORAGE_UNAVAILABLE', `the store in the bucket cannot be used: ${why}`);
}
