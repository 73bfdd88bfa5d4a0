// SPDX-License-Identifier: Apache-2.0
// The parts of the guest's init that know nothing of a guest, compiled for this machine with the sanitizers.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const compiler = spawnSync('gcc', ['--version']).status === 0;
const here = import.meta.dirname;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'uk-init-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(name: string, sources: string[]): string {
  const output = join(folder, name);
  const flags = [
    '-std=gnu17',
    '-g',
    '-O1',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-fsanitize=address,undefined',
    '-fno-sanitize-recover',
  ];
  execFileSync('gcc', [
    ...flags,
    '-o',
    output,
    join(here, 'harness', `${name}.c`),
    ...sources.map((file) => join(here, file)),
  ]);
  return output;
}

/** A sanitizer's report makes the harness fail. */
function run(program: string, args: string[], input: Uint8Array = Buffer.alloc(0)): Buffer {
  return execFileSync(program, args, { input, maxBuffer: 64 * 1024 ** 2 });
}

function frame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, payload]);
}

describe.skipIf(!compiler)(compiler ? 'frames' : 'frames (skipped: no gcc)', () => {
  let program: string;
  beforeAll(() => {
    program = compile('frames', ['frames.c']);
  });

  const key = fc.stringMatching(/^[a-z0-9-]{1,10}$/);
  const value = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 1)));
  const valid = fc.record({
    type: fc.integer({ min: 0, max: 65535 }),
    records: fc.array(fc.tuple(key, value), { maxLength: 10 }),
  });

  test('valid frames are read as they were written, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(valid, { maxLength: 5 }), fc.nat(10_000), (frames, seed) => {
        const bytes = frames.map(({ type, records }) =>
          frame(
            type,
            Buffer.concat(
              records.map(([name, text]) => Buffer.concat([Buffer.from(`${name}=`), text, Buffer.from([0])])),
            ),
          ),
        );
        const lines = run(program, [String(seed + 1)], Buffer.concat(bytes))
          .toString()
          .split('\n')
          .slice(0, -1);
        const expected = frames.map(({ type, records }) => {
          const texts = records.map(([name, text]) => ` ${name}=${text.toString('hex')}${numberOf(text)}`);
          const args = records.filter(([name]) => name === 'arg').length;
          return `${type} valid${texts.join('')} args ${args} first ${args > 0 ? 'yes' : 'no'}`;
        });
        expect(lines).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  function numberOf(text: Buffer): string {
    const digits = text.toString('latin1');
    return /^[0-9]+$/.test(digits) && BigInt(digits) < 2n ** 64n ? `(${BigInt(digits)})` : '';
  }

  test('no bytes bring it down', () => {
    const damaged = fc
      .tuple(fc.integer({ min: 0, max: 200 }), fc.uint8Array({ maxLength: 80 }))
      .map(([type, payload]) => frame(type, Buffer.from(payload)));
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.oneof(damaged, noise), { maxLength: 8 }), (parts) => {
        run(program, ['7'], Buffer.concat(parts));
      }),
      { numRuns: 120 },
    );
  });

  test.each([
    ['a length above 4 MiB', Buffer.from([1, 0, 0x40, 0, 1, 0, 0, 0]), '-'],
    ['a zero field that is not zero', Buffer.from([0, 0, 0, 0, 1, 0, 0, 1]), '-'],
    ['a record without its NUL', frame(1, Buffer.from('a=b')), '1 damaged args 0 first no'],
    ['a record without "="', frame(1, Buffer.from('ab\0')), '1 damaged args 0 first no'],
    ['a record without a key', frame(1, Buffer.from('=b\0')), '1 damaged args 0 first no'],
    ['nothing', frame(9, Buffer.alloc(0)), '9 valid args 0 first no'],
  ])('%s', (_name, bytes, line) => expect(run(program, ['1'], bytes).toString()).toBe(`${line}\n`));

  test('the largest frame fits', () => {
    const payload = Buffer.concat([Buffer.from('arg='), Buffer.alloc(4 * 1024 ** 2 - 5, 'x'), Buffer.from([0])]);
    expect(run(program, ['1'], frame(1, payload)).toString()).toMatch(/^1 valid arg=7878.* args 1 first yes\n$/);
  });

  test('what is written is a frame; what does not fit is cut', () => {
    const bytes = run(program, ['write']);
    expect(bytes.readUInt32LE(0)).toBe(bytes.length - 8);
    expect(bytes.readUInt16LE(4)).toBe(104);
    const [stage, errno, message, ...rest] = bytes.subarray(8, -1).toString().split('\0');
    expect([stage, errno]).toEqual(['stage=exec', 'errno=18446744073709551615']);
    expect(message).toMatch(/^message=x{1900,2040}$/);
    expect(rest).toEqual([]);
  });
});

describe.skipIf(!compiler)(compiler ? 'users' : 'users (skipped: no gcc)', () => {
  let program: string;
  let files: [string, string];
  beforeAll(() => {
    program = compile('users', ['users.c', 'frames.c']);
    files = [join(folder, 'passwd'), join(folder, 'group')];
    writeFileSync(
      files[0],
      [
        '# a comment:x:9:9::/:',
        'root:x:0:0:root:/root:/bin/sh',
        'short:x:1',
        'www:x:33:34:www:/var/www:/usr/sbin/nologin',
        '77:x:1077:1078::/seventy-seven:',
        'bad:x:-1:0::/:',
        'none:x:4294967295:0::/:',
        'homeless:x:50:50',
        '',
      ].join('\n'),
    );
    writeFileSync(files[1], 'root:x:0:\nwww:x:34:\nlog:x:40:root,www,www2\nbig:x:41:www2,www\nweb:x:42:\nbroken\n');
  });

  function lookup(...texts: string[]): string[] {
    return run(program, [...files, ...texts])
      .toString()
      .split('\n')
      .slice(0, -1);
  }

  test.each([
    ['', '0:0 /root 40'],
    ['root', '0:0 /root 40'],
    ['0', '0:0 /root 40'],
    ['www', '33:34 /var/www 40 41'],
    ['33', '33:34 /var/www 40 41'],
    ['www:web', '33:42 /var/www'],
    ['www:7', '33:7 /var/www'],
    ['1234', '1234:0 /'],
    ['1234:5', '1234:5 /'],
    ['1234:log', '1234:40 /'],
    // A name that looks like a number is a name first, as with container engines.
    ['77', '1077:1078 /seventy-seven'],
    ['homeless', '50:50 /'],
    ['www:', '33:34 /var/www 40 41'],
    [':42', '0:42 /root'],
  ])('%j', (text, expected) => expect(lookup(text)).toEqual([expected]));

  test.each([
    'nobody',
    'bad',
    'none',
    'short',
    '-1',
    '4294967295',
    '99999999999',
    'www:nobody',
    'www:-1',
    'x'.repeat(300),
  ])('%j is nobody', (text) => expect(lookup(text)).toEqual(['none']));

  test('files that are missing leave numbers', () => {
    const missing = [join(folder, 'no'), join(folder, 'nothing')];
    expect(run(program, [...missing, 'root', '0', '5:6']).toString()).toBe('none\n0:0 /root\n5:6 /\n');
  });

  test('no file brings it down', () => {
    const [passwd, group] = [join(folder, 'random-passwd'), join(folder, 'random-group')];
    const line = fc.array(fc.constantFrom('a', 'root', '0', '1', ':', ',', '\n', '', 'x'.repeat(5000)), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(line, line, (first, second) => {
        writeFileSync(passwd, first.join(''));
        writeFileSync(group, second.join(''));
        run(program, [passwd, group, 'a', 'root', '0', '1:a', 'a:0']);
      }),
      { numRuns: 40 },
    );
  });
});

describe.skipIf(!compiler)(compiler ? 'populate' : 'populate (skipped: no gcc)', () => {
  let program: string;
  let [image, volume] = ['', ''];
  let count = 0;
  beforeAll(() => {
    program = compile('populate', ['populate.c', 'xattrs.c']);
  });
  beforeEach(() => {
    [image, volume] = [join(folder, `image-${++count}`), join(folder, `volume-${count}`)];
    mkdirSync(join(image, 'etc/deep'), { recursive: true });
    mkdirSync(join(volume, 'lost+found'), { recursive: true });
    writeFileSync(join(image, 'etc/one'), 'content');
    linkSync(join(image, 'etc/one'), join(image, 'etc/deep/two'));
    symlinkSync('etc/one', join(image, 'link'));
    chmodSync(image, 0o710);
    chmodSync(join(image, 'etc/one'), 0o4751);
    utimesSync(join(image, 'etc/one'), 1000, 2000);
  });

  const fill = () => spawnSync(program, [image, volume], { encoding: 'utf8' });

  test('an empty volume gets what the image has, with modes, times and links', () => {
    expect(fill()).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(volume, { recursive: true }).sort()).toEqual(readdirSync(image, { recursive: true }).sort());
    const [one, two] = [statSync(join(volume, 'etc/one')), statSync(join(volume, 'etc/deep/two'))];
    expect([one.mode & 0o7777, one.mtimeMs, one.nlink]).toEqual([0o4751, 2_000_000, 2]);
    expect(two.ino).toBe(one.ino);
    expect(readlinkSync(join(volume, 'link'))).toBe('etc/one');
    expect(statSync(volume).mode & 0o7777).toBe(0o710);
  });

  test('extended attributes are kept, where this file system has them', ({ skip }) => {
    const value = ['-n', 'user.kept', '-v', 'value', join(image, 'etc/one')];
    if (spawnSync('setfattr', value).status !== 0) skip('setfattr cannot set one here');
    expect(fill().status).toBe(0);
    expect(execFileSync('getfattr', ['--only-values', '-n', 'user.kept', join(volume, 'etc/one')]).toString()).toBe(
      'value',
    );
  });

  test('one that has something keeps it', () => {
    writeFileSync(join(volume, 'mine'), '');
    expect(fill().status).toBe(0);
    expect(readdirSync(volume)).toEqual(['mine']);
  });

  test('one whose filling was cut off is filled anew', () => {
    writeFileSync(join(volume, '.uk-populating'), '');
    mkdirSync(join(volume, 'half/of/it'), { recursive: true });
    expect(fill().status).toBe(0);
    expect(readdirSync(volume).sort()).toEqual(['etc', 'link']);
  });

  test('what cannot be copied is not taken for whole the next time', () => {
    mkdirSync(join(image, ...Array.from({ length: 250 }, () => 'd')), { recursive: true });
    for (let i = 0; i < 2; i++)
      expect(fill()).toMatchObject({ status: 1, stdout: expect.stringMatching(/levels|loop/i) });
  });
});

describe.skipIf(!compiler)(compiler ? 'archives' : 'archives (skipped: no gcc)', () => {
  let program: string;
  let tree: string;
  beforeAll(() => {
    program = compile('archive', ['pack.c', 'unpack.c', 'tar.c', 'frames.c', 'paths.c']);
  });
  beforeEach(() => {
    tree = mkdtempSync(join(folder, 'tree-'));
  });

  function make(): void {
    mkdirSync(join(tree, 'src', 'deep', 'd'.repeat(120)), { recursive: true });
    writeFileSync(join(tree, 'src', 'a'), 'one');
    linkSync(join(tree, 'src', 'a'), join(tree, 'src', 'again'));
    writeFileSync(join(tree, 'src', 'deep', 'd'.repeat(120), 'e'.repeat(200)), Buffer.alloc(100_001, 'x'));
    symlinkSync('f'.repeat(300), join(tree, 'src', 'far'));
    writeFileSync(join(tree, 'src', 'ä "b"\n'), '');
    chmodSync(join(tree, 'src', 'a'), 0o4751);
    utimesSync(join(tree, 'src', 'a'), 1_000, 1_000);
  }

  function names(path: string): string[] {
    return readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  }

  test('what is packed is unpacked as it was, and tar(1) reads it', () => {
    make();
    const archive = run(program, ['pack', join(tree, 'src')]);
    const target = join(tree, 'target');
    mkdirSync(target);
    run(program, ['unpack', target], archive);
    expect(names(join(target, 'src'))).toEqual(names(join(tree, 'src')));
    const about = statSync(join(target, 'src', 'a'));
    expect([about.mode & 0o7777, about.mtimeMs, about.nlink]).toEqual([0o4751, 1_000_000, 2]);
    expect(readlinkSync(join(target, 'src', 'far'))).toBe('f'.repeat(300));
    expect(execFileSync('diff', ['-r', '--no-dereference', join(tree, 'src'), join(target, 'src')]).toString()).toBe(
      '',
    );
    const listed = execFileSync('tar', ['t', '--quoting-style=literal', '--show-transformed-names'], {
      input: archive,
    });
    expect(listed.toString()).toContain(`src/deep/${'d'.repeat(120)}/${'e'.repeat(200)}`);
  });

  test('a path that ends with a dot means what is in it', () => {
    make();
    const target = join(tree, 'target');
    mkdirSync(target, { mode: 0o700 });
    run(program, ['unpack', target], run(program, ['pack', `${join(tree, 'src')}/.`]));
    expect(names(target)).toEqual(names(join(tree, 'src')));
    expect(statSync(target).mode & 0o7777).toBe(0o700);
  });

  test('an archive of tar(1) with pax headers', () => {
    make();
    const target = join(tree, 'target');
    mkdirSync(target);
    run(program, ['unpack', target], execFileSync('tar', ['c', '--format=pax', '-C', tree, 'src']));
    expect(names(join(target, 'src'))).toEqual(names(join(tree, 'src')));
  });

  test('what is missing is said, with the status 1', () => {
    const { status, stderr } = spawnSync(program, ['pack', join(tree, 'none')]);
    expect([status, stderr.toString()]).toEqual([1, `${join(tree, 'none')}: No such file or directory\n`]);
  });

  test('no bytes bring the reader down, or out of its directory', () => {
    make();
    const archive = run(program, ['pack', join(tree, 'src')]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(4_000), fc.nat(255)), { maxLength: 6 }),
        fc.nat(archive.length),
        (changes, cut) => {
          const damaged = Buffer.from(archive.subarray(0, cut));
          for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value;
          const target = mkdtempSync(join(tree, 'target-'));
          const { status, stderr } = spawnSync(program, ['unpack', target], { input: damaged });
          expect([status === 0 || status === 1, /Sanitizer|runtime error/.test(stderr.toString())]).toEqual([
            true,
            false,
          ]);
        },
      ),
      { numRuns: 60 },
    );
    const parent = execFileSync('tar', ['c', '-P', '--transform=s,^,../,', '-C', tree, 'src/a']);
    const inside = mkdtempSync(join(tree, 'inside-'));
    expect(spawnSync(program, ['unpack', inside], { input: parent }).stderr.toString()).toMatch(/leads out/);
  });
});
