// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { executionOf, mergeEnvironment } from './execution.ts';

const config = {
  Entrypoint: ['/app/server'],
  Cmd: ['--port', '80'],
  Env: ['A=1', 'B=2'],
  User: 'www',
  WorkingDir: '/srv',
};

describe('what runs', () => {
  test.each([
    ['as the image says', {}, ['/app/server', '--port', '80']],
    ['arguments replace Cmd', { args: ['-v'] }, ['/app/server', '-v']],
    ['an empty list of arguments is one, too', { args: [] }, ['/app/server']],
    ['an entrypoint drops Cmd', { entrypoint: ['/bin/sh'] }, ['/bin/sh']],
    ['both', { entrypoint: ['/bin/sh', '-c'], args: ['id'] }, ['/bin/sh', '-c', 'id']],
  ])('%s', (_name, choice, args) => expect(executionOf(config, choice).args).toEqual(args));

  test('Cmd alone', () => expect(executionOf({ Cmd: ['/hello'] }, {}).args).toEqual(['/hello']));
  test('lists that are null', () =>
    expect(executionOf({ Entrypoint: null, Cmd: null, Env: null }, { args: ['/x'] })).toEqual({
      args: ['/x'],
      env: [],
      cwd: '/',
      user: '',
    }));
  test.each([{}, { Entrypoint: [''] }])('no program: %j', (none) =>
    expect(() => executionOf(none, {})).toThrow(expect.objectContaining({ code: 'IMAGE_UNSUPPORTED' })),
  );
});

test('user and folder', () => {
  expect(executionOf(config, {})).toMatchObject({ user: 'www', cwd: '/srv' });
  expect(executionOf(config, { user: '0', workingDir: '/' })).toMatchObject({ user: '0', cwd: '/' });
});

test('variables: the place of the first, the value of the last', () => {
  expect(mergeEnvironment(['A=1', 'B=2'], ['A=3', 'C=x=y', 'B='])).toEqual(['A=3', 'B=', 'C=x=y']);
  expect(mergeEnvironment(['NOTHING'])).toEqual([]);
});
