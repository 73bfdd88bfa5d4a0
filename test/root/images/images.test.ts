// SPDX-License-Identifier: Apache-2.0
// Real container images give the same in podman, by `uk run` of the image as it is, and as a unikernel image made from it.
// With UK_TEST_ROOT=1 (`npm run test:root`) all of them, which fetches packages; else the small ones that `npm test` has made.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../../clients/tools.ts';
import { builtImage, madeImage } from './build-image.ts';
import { inPodman } from './podman.ts';
import type { Check, Recipe } from './recipe.ts';
import { RECIPES } from './recipes.ts';
import { inUk } from './run-uk.ts';
import { type Answer, RUN_MS, type Way } from './way.ts';

const all = process.env.UK_TEST_ROOT === '1';
const needed = needing(
  'real container images',
  'podman',
  'buildah',
  'skopeo',
  ...(all ? (['mmdebstrap'] as const) : []),
);
const root = process.getuid?.() === 0;
const skipped = needed.missing || !root;
const title = root ? needed.title : `${needed.title} (skipped: needs root)`;

const recipes = await Promise.all(
  RECIPES.filter(({ small }) => all || small).map(async (recipe) => ({ recipe, made: await madeImage(recipe) })),
);

describe.skipIf(skipped)(title, () => {
  for (const { recipe, made } of recipes) {
    const missing = !all && made === undefined;
    const how = missing ? ` (skipped: not made yet; to make it: node test/root/images/main.ts ${recipe.name})` : '';
    describe.skipIf(missing)(`${recipe.name}: ${recipe.shows}${how}`, () => checks(recipe));
  }
});

function checks(recipe: Recipe): void {
  let image: string;
  /** What podman gave, by the check's title. */
  const inContainer = new Map<string, Answer>();

  beforeAll(async () => {
    image = await builtImage(recipe);
  }, 1_800_000);

  wayOf(
    'podman',
    () => inPodman(recipe, image),
    (check, answer) => {
      inContainer.set(check.title, answer);
    },
  );
  const sameAsPodman = (check: Check, answer: Answer) => {
    if (check.sameStdout) expect(answer.stdout).toBe(inContainer.get(check.title)?.stdout);
  };
  wayOf('uk run', () => inUk(recipe, image), sameAsPodman);
  wayOf('uk run of a built image', () => inUk(recipe, image, { built: true }), sameAsPodman);

  function wayOf(name: string, open: () => Promise<Way>, look: (check: Check, answer: Answer) => void): void {
    describe(name, () => {
      let way: Way;
      beforeAll(async () => {
        way = await open();
      });
      afterAll(() => way?.[Symbol.asyncDispose]());

      for (const check of recipe.checks) {
        test(check.title, { timeout: RUN_MS + 60_000 }, async () => {
          const answer = await way.run(check);
          judge(check, answer);
          look(check, answer);
        });
      }
    });
  }
}

/** Podman's status is judged as well: a check that expects what no container does would prove nothing. */
function judge({ stdout, status = 0 }: Check, answer: Answer): void {
  const said = Buffer.from(answer.stdout, 'latin1').toString();
  if (typeof stdout === 'string') expect(said, answer.stderr).toBe(stdout);
  else if (stdout !== undefined) expect(said, answer.stderr).toMatch(stdout);
  expect(answer.status, answer.stderr).toBe(status);
}
