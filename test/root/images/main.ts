// SPDX-License-Identifier: Apache-2.0
// `node test/root/images/main.ts [--small | NAME...]`: makes the images, all or these, and says where they are.
import { builtImage } from './build-image.ts';
import { RECIPES } from './recipes.ts';

const wanted = process.argv.slice(2);
const chosen = RECIPES.filter(
  ({ name, small }) => wanted.length === 0 || wanted.includes(name) || (small && wanted.includes('--small')),
);
const unknown = wanted.filter((word) => word !== '--small' && !RECIPES.some(({ name }) => name === word));
if (unknown.length > 0) {
  console.error(`no such image: ${unknown.join(', ')}; there are ${RECIPES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
for (const recipe of chosen) {
  const start = performance.now();
  try {
    console.log(`${await builtImage(recipe)}  ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(`${recipe.name} could not be made: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
